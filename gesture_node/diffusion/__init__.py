"""Diffusion: schedule, denoiser, sampler, window."""
