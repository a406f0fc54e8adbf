"""The three networks of a bundle: speech encoder, body denoiser, face denoiser."""
