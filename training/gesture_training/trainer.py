"""The trainer: weights, losses and one optimiser step over a batch of each channel."""
from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
import copy
import math
import platform
import sys
from typing import Any

import torch
from torch import nn, Tensor

from .checkpoint import Checkpoint
from .config import TrainingConfig, WindowConfig
from .corpora.pack import Pack
from .corpora.phones import PhoneClass
from .data import WindowBatch, WindowSampler
from .exceptions import TrainingError
from .losses import (
    accent_loss,
    BodyLoss,
    effort_loss,
    FaceLoss,
    frame_weights,
    lip_loss,
    manner_loss,
    phone_loss,
)
from .masked import masked_terms
from .networks.assembly import GestureNetworks
from .parallel import average_gradients, mean_over_processes, rows, size
from .schedule import add_noise, TRAIN_STEPS
from .statistics import Statistics


def learning_rate(config: TrainingConfig, step: int, share: float) -> float:
    """Return the rate of a step: linear warm-up, then a cosine over the budget."""
    options = config.optimiser
    warm = min(1.0, (step + 1) / max(1, options.warm_up_steps))
    cosine = 0.5 * (1.0 + math.cos(math.pi * share))
    return options.learning_rate * warm * (
        options.final_rate + (1.0 - options.final_rate) * cosine)


class Trainer:
    """Weights, their average, the optimiser and the samplers of a run.

    Args:
        config: sizes and weights.
        packs: corpus by channel; at least one.
        statistics: normalisation.
        stages: which of ``encoder``, ``face`` and ``body`` learn.
        device: where to compute.
    """

    def __init__(self, config: TrainingConfig, packs: dict[str, Pack], statistics: Statistics,
                 stages: Sequence[str], device: torch.device) -> None:
        torch.manual_seed(config.optimiser.seed)
        self.config, self.statistics, self.device = config, statistics, device
        self.step, self.elapsed_s = 0, 0.0
        self.corpus = {channel: describe_corpus(pack) for channel, pack in packs.items()}
        networks = GestureNetworks(config, len(PhoneClass))
        networks.encoder.set_normalisation(torch.from_numpy(statistics.feature_mean),
                                           torch.from_numpy(statistics.feature_std))
        self.networks = networks.to(device)
        self.average = copy.deepcopy(networks).requires_grad_(False)
        self._samplers = {
            channel: WindowSampler(pack, channel, config,
                                   getattr(statistics, f'{channel}_mean'),
                                   getattr(statistics, f'{channel}_std'))
            for channel, pack in packs.items() if {channel, 'encoder'} & set(stages)}
        self._stages = tuple(stages)
        self._distilled: dict[str, dict[str, Any]] = {}
        self.windows = sum(sampler.batch for sampler in self._samplers.values())
        if not self._samplers:
            raise TrainingError(f'nothing to train: the corpus holds {", ".join(packs)} and the '
                                f'stages are {", ".join(stages)}')
        self._losses: dict[str, nn.Module] = {
            'face': FaceLoss(config.losses, torch.from_numpy(statistics.face_mean),
                             torch.from_numpy(statistics.face_std)).to(device),
            'body': BodyLoss(config.losses, torch.from_numpy(statistics.body_mean),
                             torch.from_numpy(statistics.body_std)).to(device)}
        self._optimiser = _optimiser(networks, config, set(stages) & {'encoder', *packs})

    def advance(self, share: float) -> dict[str, float]:
        """Do one optimiser step and return its losses by name.

        Args:
            share: how much of the budget is used, for the learning rate.

        Raises:
            TrainingError: a loss or the gradient is not finite.
        """
        rate = learning_rate(self.config, self.step, share)
        for group in self._optimiser.param_groups:
            group['lr'] = rate * group['share']
        self._optimiser.zero_grad(set_to_none=True)
        terms: dict[str, Tensor] = {}
        for channel, sampler in self._samplers.items():
            batch = rows(sampler.draw(self.config.optimiser.seed, self.step)).to(self.device)
            found = self._channel_terms(channel, batch)
            sum(found.values(), torch.zeros((), device=self.device)).backward()
            terms |= {f'{channel}.{name}': value.detach() for name, value in found.items()}
        average_gradients(self._trained())
        norm = nn.utils.clip_grad_norm_(self._trained(), self.config.optimiser.clip_norm)
        losses = dict(zip(terms, mean_over_processes(torch.stack(list(terms.values()))).tolist()))
        wrong = [name for name, value in losses.items() if not math.isfinite(value)]
        if wrong or not math.isfinite(float(norm)):
            raise TrainingError(
                f'training became unstable at step {self.step}: {", ".join(wrong) or "gradient"} '
                f'is not finite; lower optimiser.learning_rate and --resume the last checkpoint')
        self._optimiser.step()
        self._update_average()
        self.step += 1
        return losses

    def _channel_terms(self, channel: str, batch: WindowBatch) -> dict[str, Tensor]:
        bf16 = self.config.optimiser.bf16
        with torch.autocast(self.device.type, dtype=torch.bfloat16, enabled=bf16):
            local, persona, emotion = self.networks.encoder(
                batch.features, batch.heard, batch.history, batch.history_heard)
        terms: dict[str, Tensor] = {}
        if channel in self._stages:
            with torch.autocast(self.device.type, dtype=torch.bfloat16, enabled=bf16):
                terms |= self._denoiser_terms(channel, batch, local, persona, emotion)
        if 'encoder' in self._stages:
            terms |= self._listening_terms(channel, batch, local.float(), persona.float())
        return terms

    def _denoiser_terms(self, channel: str, batch: WindowBatch, local: Tensor, persona: Tensor,
                        emotion: Tensor) -> dict[str, Tensor]:
        random = torch.Generator().manual_seed(
            (self.config.optimiser.seed * 1_000_003 + self.step) * 2 + (channel == 'body'))
        count = size() * len(batch.motion)
        level = rows(_draw_levels(count, self.config.windows, random)).to(self.device)
        noise = rows(torch.randn((count, *batch.motion.shape[1:]), generator=random)).to(
            self.device)
        inputs = (add_noise(batch.motion, noise, level), level, batch.seed, batch.mask,
                  local[:, self.config.encoder.context_frames:], persona, emotion, batch.drop)
        estimate = (self.networks.face(*inputs, batch.style) if channel == 'face'
                    else self.networks.body(*inputs, batch.cues))
        weight = frame_weights(batch.mask, batch.valid, self._heard(channel, batch))
        terms: dict[str, Tensor] = self._losses[channel](estimate.float(), batch.motion, weight)
        return terms

    def _listening_terms(self, channel: str, batch: WindowBatch, local: Tensor,
                         persona: Tensor) -> dict[str, Tensor]:
        """Return what teaches the encoder to hear: accents, and phones and lips or the arms."""
        weights, encoder, loss = self.config.losses, self.networks.encoder, self._losses[channel]
        terms = {'accents': weights.accents * accent_loss(
            encoder.accent_logits(local), batch.accents, batch.heard)}
        terms |= masked_terms(encoder, self.config, batch, self.step)
        window = local[:, self.config.encoder.context_frames:]
        motion = batch.motion * loss.std + loss.mean
        heard = batch.valid * (0.1 + 0.9 * self._heard(channel, batch))
        if channel == 'body':
            idle = torch.from_numpy(self.statistics.body_idle).to(self.device)
            return terms | {
                'effort': weights.effort * effort_loss(
                    encoder.wrist_effort(window), motion, heard),
                'manner': weights.manner * manner_loss(
                    encoder.gesture_manner(persona), motion, idle, batch.valid)}
        return terms | {
                'phones': weights.phones * phone_loss(encoder.phone_logits(local), batch.phones),
                'lips': weights.lips * lip_loss(encoder.lip_weights(window), motion, heard)}

    def _heard(self, channel: str, batch: WindowBatch) -> Tensor:
        heard = batch.heard[:, self.config.encoder.context_frames:]
        return heard[:, ::2] if channel == 'body' else heard

    def _trained(self) -> list[Tensor]:
        return [p for group in self._optimiser.param_groups for p in group['params']]

    @torch.no_grad()
    def _update_average(self) -> None:
        decay = min(self.config.optimiser.ema_decay, (1.0 + self.step) / (10.0 + self.step))
        pairs = zip(self.average.parameters(), self.networks.parameters())
        averages, weights = zip(*pairs)
        torch._foreach_lerp_(list(averages), list(weights), 1.0 - decay)

    def checkpoint(self) -> Checkpoint:
        """Return the state of the run; a face that did not learn reads the encoder's lips."""
        if 'encoder' in self._stages and 'face' not in self._stages:
            for networks in (self.networks, self.average):
                self._hand_over_lips(networks)
        return Checkpoint(
            config=self.config, statistics=self.statistics, step=self.step,
            elapsed_s=self.elapsed_s, weights=self.networks.state_dict(),
            average=self.average.state_dict(), optimiser=self._optimiser.state_dict(),
            corpus=self.corpus, machine=machine(), distilled=self._distilled)

    def take_weights(self, checkpoint: Checkpoint) -> None:
        """Begin from the averaged weights of another run; what it lacks stays as initialised."""
        self._distilled = {channel: how for channel, how in checkpoint.distilled.items()
                           if channel not in self._stages}
        fitting = fitting_weights(self.networks, self.config, checkpoint)
        lacking = self.networks.load_state_dict(fitting, strict=False).missing_keys
        untaught = not self.networks.face.read.direct.weight.any()
        if untaught or 'face.read.direct.weight' in lacking:
            self._hand_over_lips(self.networks)
        self.average.load_state_dict(self.networks.state_dict())

    def _hand_over_lips(self, networks: GestureNetworks) -> None:
        mean, std = (torch.from_numpy(part).to(self.device) for part in (
            self.statistics.face_mean, self.statistics.face_std))
        networks.face.adopt_lips(networks.encoder.lips, mean, std)

    def restore(self, checkpoint: Checkpoint) -> None:
        """Go on from a checkpoint of a run with the same sizes and stages."""
        self.networks.load_state_dict(checkpoint.weights)
        self.average.load_state_dict(checkpoint.average)
        self._optimiser.load_state_dict(checkpoint.optimiser)
        self.step, self.elapsed_s = checkpoint.step, checkpoint.elapsed_s
        self._distilled = checkpoint.distilled


def fitting_weights(networks: GestureNetworks, config: TrainingConfig,
                    checkpoint: Checkpoint) -> dict[str, Tensor]:
    """Return the averaged weights of a run that mean the same in ``networks``.

    A part (encoder, body, face) of other sizes or another make is left out as a whole and said
    so; single layers may come and go.
    """
    shapes = {name: value.shape for name, value in networks.state_dict().items()}
    weights, earlier = checkpoint.average, checkpoint.config
    other = {name.split('.')[0] for name, value in weights.items()
             if value.shape != shapes.get(name, value.shape)}
    other |= {part for part, same in (
        ('body', config.body.conditioning == earlier.body.conditioning),
        ('face', config.face.bias == earlier.face.bias)) if not same}
    for part in sorted(other):
        print(f'the {part} is of another make in the weights given; it begins anew',
              file=sys.stderr)
    return {name: value for name, value in weights.items()
            if name in shapes and name.split('.')[0] not in other}


def _draw_levels(count: int, windows: WindowConfig, random: torch.Generator) -> Tensor:
    """Return diffusion steps ``(count,)``, whole, below T, denser at the noisy end."""
    share = torch.rand(count, generator=random) ** (1.0 / windows.level_bias)
    if windows.level_even_share > 0.0:
        even, drawn = torch.rand((2, count), generator=random)
        share = torch.where(drawn < windows.level_even_share, even, share)
    return (share * TRAIN_STEPS).floor().clamp(max=TRAIN_STEPS - 1)


def _optimiser(networks: GestureNetworks, config: TrainingConfig,
               parts: set[str]) -> torch.optim.AdamW:
    options = config.optimiser
    groups: list[dict[str, Any]] = []
    for name, part in networks.named_children():
        if name not in parts:
            part.requires_grad_(False)
            continue
        share = options.encoder_rate if name == 'encoder' and len(parts) > 1 else 1.0
        for matrices in (True, False):
            groups.append({'params': [p for p in part.parameters() if (p.dim() > 1) == matrices],
                           'weight_decay': options.weight_decay if matrices else 0.0,
                           'share': share})
    return torch.optim.AdamW(groups, lr=options.learning_rate, betas=(0.9, 0.98), fused=True)


def describe_corpus(pack: Pack) -> dict[str, Any]:
    """Return what a channel is trained on: hours and takes by source, licences, speakers."""
    hours: Counter[str] = Counter()
    for take in pack.takes:
        if take.split == 'train':
            hours[take.source] += take.features / 50.0 / 3600.0  # type: ignore[assignment]
    trained = [take for take in pack.takes if take.split == 'train']
    heard = {} if pack.front_end is None else {'front_end': pack.front_end.statement()}
    return heard | {
        'takes': len(trained), 'held_out_takes': len(pack.takes) - len(trained),
        'speakers': len({take.speaker for take in trained}),
        'hours': {source: round(value, 3) for source, value in sorted(hours.items())},
        'licences': sorted({f'{take.source}: {take.licence}' for take in trained}),
        'variants': dict(Counter(take.variant for take in trained)),
        'styles': dict(Counter(take.style for take in trained))}


def machine() -> str:
    """Return what this is trained on, in words."""
    several = f'{size()} x ' if size() > 1 else ''
    if torch.cuda.is_available():
        return several + torch.cuda.get_device_name()
    return f'{several}{platform.machine()} CPU, {torch.get_num_threads()} threads'
