"""EmoGen's hundred attributes: names, thresholds and the emotions' bits, as their authors published them.

A selection of jSymbolic 2.2's features (McKay et al., ISMIR 2018) made by EmoGen (Kang et al., arXiv 2307.01229). A
threshold is the feature's median over the clips of EMOPIA 1.0, an emotion's bit says whether the clip that stands for
its quadrant lies strictly above it. `published` was read from a bar chart on the authors' demo page, to within 0.003.
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Attribute:
    """One attribute: its place k in EmoGen's order (0-99) and what is published of it."""

    index: int
    title: str  # jSymbolic's name, histogram bins counted from 0
    threshold: float  # bit 1 means strictly above
    bits: tuple[int, int, int, int]  # for the quadrants Q1 to Q4
    published: float  # share of pieces in which EmoGen's control of the bit succeeded

    @property
    def name(self) -> str:
        """The title as an identifier, like `pitch_class_histogram_2`."""
        return self.title.lower().replace(" - ", " ").replace(" ", "_")


ATTRIBUTES: tuple[Attribute, ...] = (
    Attribute(0, "Pitch Class Histogram_2", 0.08128, (1, 1, 0, 1), 0.60),
    Attribute(1, "Pitch Class Histogram_3", 0.014575, (0, 1, 1, 1), 0.50),
    Attribute(2, "Pitch Class Histogram_4", 0.06401, (1, 0, 0, 0), 0.56),
    Attribute(3, "Pitch Class Histogram_5", 0.1217, (1, 0, 0, 1), 0.66),
    Attribute(4, "Pitch Class Histogram_8", 0.01884, (1, 0, 1, 0), 0.56),
    Attribute(5, "Pitch Class Histogram_9", 0.06954, (1, 0, 1, 1), 0.56),
    Attribute(6, "Number of Pitches", 27.5, (1, 1, 0, 1), 0.68),
    Attribute(7, "Range", 50.0, (1, 1, 1, 1), 0.54),
    Attribute(8, "Importance of Bass Register", 0.27355, (0, 1, 1, 1), 0.86),
    Attribute(9, "Importance of Middle Register", 0.4936, (0, 0, 0, 1), 0.90),
    Attribute(10, "Importance of High Register", 0.18635, (1, 1, 0, 0), 0.96),
    Attribute(11, "Mean Pitch", 61.0, (1, 1, 0, 0), 0.89),
    Attribute(12, "Mean Pitch Class", 5.4235, (0, 0, 1, 1), 0.81),
    Attribute(13, "Most Common Pitch", 63.0, (1, 0, 0, 0), 0.82),
    Attribute(14, "Pitch Variability", 11.41, (1, 1, 1, 1), 0.60),
    Attribute(15, "Pitch Skewness", -0.22765, (1, 0, 1, 1), 0.54),
    Attribute(16, "Melodic Interval Histogram_0", 0.021505, (1, 0, 1, 1), 0.69),
    Attribute(17, "Melodic Interval Histogram_2", 0.036715, (0, 0, 1, 1), 0.74),
    Attribute(18, "Melodic Interval Histogram_4", 0.05147, (1, 0, 0, 1), 0.60),
    Attribute(19, "Melodic Interval Histogram_12", 0.1221, (0, 0, 0, 0), 0.85),
    Attribute(20, "Melodic Interval Histogram_16", 0.021565, (0, 0, 0, 0), 0.70),
    Attribute(21, "Melodic Interval Histogram_36", 0.005602, (1, 0, 1, 0), 0.54),
    Attribute(22, "Melodic Interval Histogram_43", 0.0, (1, 0, 0, 1), 0.45),
    Attribute(23, "Melodic Interval Histogram_48", 0.0, (0, 0, 0, 0), 0.72),
    Attribute(24, "Prevalence of Most Common Melodic Interval", 0.15575, (0, 1, 1, 0), 0.71),
    Attribute(25, "Amount of Arpeggiation", 0.4545, (0, 0, 1, 0), 0.85),
    Attribute(26, "Melodic Sixths", 0.07246, (0, 0, 0, 1), 0.82),
    Attribute(27, "Melodic Embellishments", 0.04545, (1, 0, 1, 1), 0.73),
    Attribute(28, "Average Length of Melodic Arcs", 1.537, (1, 1, 1, 1), 0.95),
    Attribute(29, "Melodic Pitch Variety", 5.8445, (0, 0, 0, 0), 0.94),
    Attribute(30, "Vertical Interval Histogram_1", 0.017425, (0, 1, 1, 1), 0.60),
    Attribute(31, "Vertical Interval Histogram_7", 0.07783, (1, 0, 0, 1), 0.69),
    Attribute(32, "Vertical Interval Histogram_9", 0.042395, (0, 0, 0, 1), 0.75),
    Attribute(33, "Vertical Interval Histogram_13", 0.0052935, (0, 0, 1, 1), 0.57),
    Attribute(34, "Vertical Interval Histogram_16", 0.03015, (0, 0, 0, 0), 0.68),
    Attribute(35, "Vertical Interval Histogram_22", 0.01259, (1, 1, 1, 1), 0.50),
    Attribute(36, "Vertical Interval Histogram_31", 0.02034, (1, 1, 0, 0), 0.84),
    Attribute(37, "Vertical Interval Histogram_34", 0.003189, (1, 1, 0, 0), 0.80),
    Attribute(38, "Vertical Interval Histogram_36", 0.01062, (1, 1, 1, 0), 0.79),
    Attribute(39, "Vertical Interval Histogram_38", 0.002167, (1, 1, 1, 0), 0.72),
    Attribute(40, "Vertical Interval Histogram_39", 0.001159, (1, 1, 1, 0), 0.74),
    Attribute(41, "Vertical Interval Histogram_40", 0.002255, (1, 1, 0, 0), 0.83),
    Attribute(42, "Vertical Interval Histogram_43", 0.001597, (1, 1, 0, 0), 0.90),
    Attribute(43, "Vertical Interval Histogram_44", 0.0, (0, 1, 0, 0), 0.78),
    Attribute(44, "Vertical Interval Histogram_48", 0.0, (0, 1, 0, 0), 0.73),
    Attribute(45, "Vertical Interval Histogram_51", 0.0, (1, 1, 0, 0), 0.71),
    Attribute(46, "Wrapped Vertical Interval Histogram_0", 0.16745, (1, 1, 0, 0), 0.67),
    Attribute(47, "Wrapped Vertical Interval Histogram_9", 0.07262, (0, 0, 0, 0), 0.68),
    Attribute(48, "Chord Type Histogram_1", 0.056815, (0, 1, 1, 0), 0.50),
    Attribute(49, "Chord Type Histogram_2", 0.11465, (1, 0, 0, 1), 0.66),
    Attribute(50, "Chord Type Histogram_6", 0.02468, (1, 1, 0, 0), 0.70),
    Attribute(51, "Average Number of Simultaneous Pitches", 5.685, (1, 1, 0, 0), 0.66),
    Attribute(52, "Prevalence of Most Common Vertical Interval", 0.18275, (0, 1, 1, 0), 0.53),
    Attribute(53, "Perfect Vertical Intervals", 0.43925, (1, 1, 0, 1), 0.81),
    Attribute(54, "Vertical Dissonance Ratio", 0.2778, (0, 1, 1, 1), 0.60),
    Attribute(55, "Chord Duration", 0.3223, (1, 1, 1, 1), 0.83),
    Attribute(56, "Seventh Chords", 0.072635, (0, 0, 0, 0), 0.66),
    Attribute(57, "Minor Major Triad Ratio", 0.42445, (0, 1, 0, 0), 0.52),
    Attribute(58, "Total Number of Notes", 229.0, (0, 1, 0, 0), 0.78),
    Attribute(59, "Note Density per Quarter Note", 3.005, (1, 1, 0, 0), 1.00),
    Attribute(60, "Note Density per Quarter Note Variability", 1.2475, (1, 1, 1, 0), 0.71),
    Attribute(61, "Rhythmic Value Histogram_1", 0.02381, (1, 1, 1, 0), 0.92),
    Attribute(62, "Rhythmic Value Histogram_2", 0.083535, (1, 1, 1, 0), 0.97),
    Attribute(63, "Rhythmic Value Histogram_3", 0.086675, (1, 1, 0, 0), 0.90),
    Attribute(64, "Rhythmic Value Histogram_4", 0.12155, (1, 1, 0, 1), 0.85),
    Attribute(65, "Rhythmic Value Histogram_5", 0.11935, (1, 0, 0, 0), 0.89),
    Attribute(66, "Rhythmic Value Histogram_6", 0.1166, (1, 0, 0, 1), 0.79),
    Attribute(67, "Rhythmic Value Histogram_7", 0.084555, (1, 0, 1, 1), 0.64),
    Attribute(68, "Rhythmic Value Histogram_8", 0.060525, (0, 0, 1, 1), 0.88),
    Attribute(69, "Rhythmic Value Histogram_9", 0.024065, (0, 0, 1, 1), 0.91),
    Attribute(70, "Rhythmic Value Histogram_10", 0.008316, (1, 0, 1, 1), 0.66),
    Attribute(71, "Rhythmic Value Histogram_11", 0.009709, (0, 1, 1, 1), 0.55),
    Attribute(72, "Prevalence of Very Short Rhythmic Values", 0.04469, (1, 1, 1, 0), 0.82),
    Attribute(73, "Prevalence of Short Rhythmic Values", 0.1405, (1, 1, 1, 0), 0.95),
    Attribute(74, "Prevalence of Medium Rhythmic Values", 0.6696, (1, 1, 0, 0), 0.78),
    Attribute(75, "Prevalence of Long Rhythmic Values", 0.3645, (0, 0, 1, 1), 0.81),
    Attribute(76, "Prevalence of Very Long Rhythmic Values", 0.046335, (0, 0, 1, 1), 0.92),
    Attribute(77, "Most Common Rhythmic Value", 1.0, (0, 0, 0, 1), 0.92),
    Attribute(78, "Prevalence of Most Common Rhythmic Value", 0.2624, (0, 1, 0, 0), 0.66),
    Attribute(79, "Rhythmic Value Variability", 1.701, (0, 0, 1, 1), 0.87),
    Attribute(80, "Rhythmic Value Kurtosis", 12.515, (1, 1, 0, 0), 0.52),
    Attribute(81, "Rhythmic Value Median Run Lengths Histogram_10", 0.07692, (1, 0, 1, 0), 0.55),
    Attribute(82, "Mean Rhythmic Value Run Length", 1.4365, (0, 1, 0, 0), 0.76),
    Attribute(83, "Variability in Rhythmic Value Run Lengths", 0.845, (0, 1, 0, 0), 0.76),
    Attribute(84, "Rhythmic Value Variability in Run Lengths Histogram_1", 0.0, (1, 1, 1, 0), 0.93),
    Attribute(85, "Rhythmic Value Variability in Run Lengths Histogram_2", 0.085225, (1, 1, 1, 0), 0.87),
    Attribute(86, "Rhythmic Value Variability in Run Lengths Histogram_6", 0.10195, (0, 1, 1, 1), 0.47),
    Attribute(87, "Variability of Rhythmic Value Offsets", 0.1724, (0, 0, 1, 1), 0.91),
    Attribute(88, "Beat Histogram Tempo Standardized_32", 0.0047905, (1, 1, 1, 0), 0.83),
    Attribute(89, "Number of Relatively Strong Rhythmic Pulses - Tempo Standardized", 6.0, (1, 1, 0, 0), 0.64),
    Attribute(90, "Harmonicity of Two Strongest Rhythmic Pulses - Tempo Standardized", 1.238, (1, 1, 1, 1), 0.87),
    Attribute(91, "Strength of Strongest Rhythmic Pulse - Tempo Standardized", 0.07591, (1, 1, 1, 1), 0.61),
    Attribute(92, "Strength of Second Strongest Rhythmic Pulse - Tempo Standardized", 0.055505, (1, 1, 1, 1), 0.75),
    Attribute(93, "Rhythmic Looseness - Tempo Standardized", 4.0, (0, 0, 0, 0), 1.00),
    Attribute(94, "Duration in Seconds", 39.585, (0, 0, 1, 1), 0.98),
    Attribute(95, "Variability of Time Between Attacks", 0.1478, (0, 0, 1, 1), 0.95),
    Attribute(96, "Relative Note Density of Highest Line", 0.26755, (1, 0, 1, 1), 0.72),
    Attribute(97, "Contrary Motion", 0.02042, (1, 0, 1, 1), 0.52),
    Attribute(98, "Variation of Dynamics", 11.785, (0, 0, 1, 1), 0.69),
    Attribute(99, "Average Note to Note Change in Dynamics", 11.105, (0, 0, 1, 1), 0.64),
)

# bits that tell the valence of a quadrant and nothing of its arousal
VALENCE_ONLY: tuple[int, ...] = (3, 18, 22, 24, 31, 48, 49, 52, 66)
