"""Settings of the `paper` configuration: sizes of its parts, weights of its losses, how its sampler draws.

Structure, losses and sampling follow the authors' code (github.com/Tayjsl97/MusER); sizes are ours, so that the model
has about as many parameters as the one it is compared with.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any

from affectgen.score.words import ELEMENTS

QUADRANTS = ("Q1", "Q2", "Q3", "Q4")
UNKNOWN = len(QUADRANTS)  # the emotion of unlabelled music, met in pretraining only


@dataclass(frozen=True)
class PaperConfig:
    """Sizes of the published structure.

    dim, heads: encoder and global decoder (published: 128 and 256, 8 heads, 8 and 4 layers). element_dim,
    element_layers, element_heads: the seven element decoders (published: 256, 2, 8). slice_dim: width of one element's
    slice of a word's latent. codes: vectors of the one codebook, each 7 * slice_dim wide. embeddings: widths of the
    seven value tables in the order of ELEMENTS (published: twice these). regulariser: weight of the element
    regulariser. most_words: longest piece that a model reads or writes. prior_*: the prior (published: 256, 8, 8).
    """

    dim: int = 192
    heads: int = 6
    encoder_layers: int = 4
    decoder_layers: int = 4
    element_dim: int = 96
    element_layers: int = 2
    element_heads: int = 3
    slice_dim: int = 16
    codes: int = 512
    embeddings: tuple[int, ...] = (16, 32, 64, 128, 256, 64, 64)
    regulariser: float = 0.1
    dropout: float = 0.1
    most_words: int = 1024
    prior_dim: int = 192
    prior_layers: int = 6
    prior_heads: int = 6

    def __post_init__(self) -> None:
        if len(self.embeddings) != len(ELEMENTS):
            raise ValueError(f"embeddings names {len(self.embeddings)} widths; {len(ELEMENTS)} elements have one each")

    @property
    def latent(self) -> int:
        """Width of one word's latent: 112 as published."""
        return len(ELEMENTS) * self.slice_dim

    @classmethod
    def sized(cls, dim: int, layers: int, heads: int) -> PaperConfig:
        """A model of another size: encoder, global decoder and prior `dim` wide, the element decoders half that.

        layers: of encoder and of global decoder. dim must be a multiple of 4 * heads, so that the elements' heads,
        too, have an even number of dimensions (`affectgen.nn.transformer.check_sizes`).
        """
        element_heads = heads // 2 if heads % 2 == 0 else heads
        return cls(
            dim=dim, heads=heads, encoder_layers=layers, decoder_layers=layers, element_dim=dim // 2,
            element_heads=element_heads, prior_dim=dim, prior_heads=heads,
        )  # fmt: skip

    @classmethod
    def from_dict(cls, values: dict[str, Any]) -> PaperConfig:
        """Read back what `to_dict` wrote; unknown names raise TypeError."""
        return cls(**(values | {"embeddings": tuple(values["embeddings"])}))

    def to_dict(self) -> dict[str, Any]:
        """Plain values for config.json."""
        return asdict(self)


@dataclass(frozen=True)
class Draw:
    """How one field is drawn: logits over `temperature`, then the nucleus of mass `top_p`; temperature 0 is greedy."""

    temperature: float = 1.0
    top_p: float = 1.0


# The authors' settings, in the order of ELEMENTS.
PUBLISHED = (
    Draw(1.0, 0.9),  # family
    Draw(1.2, 1.0),  # beat
    Draw(1.2, 0.9),  # tempo
    Draw(1.0, 0.99),  # chord
    Draw(1.0, 0.9),  # pitch
    Draw(2.0, 0.9),  # duration
    Draw(5.0, 1.0),  # velocity
)
PUBLISHED_PRIOR = Draw(1.0, 0.9)
GREEDY = (Draw(0.0),) * len(ELEMENTS)
