"""Sound as samples: files, blocks, spectra, renderers."""
