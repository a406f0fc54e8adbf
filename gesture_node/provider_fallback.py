"""From the GPU to the CPU while running: a provider that is lost costs one window, not the robot.

Out of memory, a driver that was reset, a device that fell off the bus: whatever a network raises,
its call is made again on the CPU, and everything stays there. Networks on the CPU are only loaded
when they are needed.
"""
from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from threading import Lock
from typing import Any, cast

from .audio.feature_stream import FeatureSource
from .channel import ChannelModel
from .pipeline import GesturePipeline

CPU = 'CPUExecutionProvider'


class ProviderFallback:
    """A pipeline that survives the loss of its provider.

    Args:
        pipeline: loaded with the provider that is wanted.
        make_cpu: loads the same bundle for the CPU.
        report: takes one sentence when the provider is lost.

    Attributes:
        pipeline: what to make streams of.
    """

    def __init__(self, pipeline: GesturePipeline, make_cpu: Callable[[], GesturePipeline],
                 report: Callable[[str], None]) -> None:
        self._primary, self._make_cpu, self._report = pipeline, make_cpu, report
        self._cpu: GesturePipeline | None = None
        self._lock = Lock()
        self.pipeline = pipeline
        if pipeline.provider != CPU:
            self.pipeline = replace(pipeline, body=self._guarded(pipeline.body),
                                    face=self._guarded(pipeline.face), front_end=self._front_end)

    @property
    def provider(self) -> str:
        """The provider in use."""
        return self._primary.provider if self._cpu is None else CPU

    @property
    def is_lost(self) -> bool:
        """Whether everything runs on the CPU although another provider was wanted."""
        return self._cpu is not None

    def lose(self, error: Exception) -> bool:
        """Go on with the CPU after an error; return whether that is a change.

        Raises:
            BundleError: the networks cannot be loaded for the CPU.
        """
        with self._lock:
            if self._cpu is not None or self._primary.provider == CPU:
                return False
            lines = str(error).splitlines() or ['no message']
            self._report(f'{self._primary.provider} is lost, motion goes on with the CPU: '
                         f'{type(error).__name__}: {lines[0][:200]}')
            self._cpu = self._make_cpu()
            return True

    def _front_end(self) -> FeatureSource:
        return (self._cpu or self._primary).front_end()

    def _guarded(self, model: ChannelModel) -> ChannelModel:
        parts = {part: _Guarded(self, model, part) for part in ('encoder', 'denoiser')}
        return replace(model, **cast(Any, parts))

    def on_cpu(self, channel: str, part: str) -> Any:
        """Return a network on the CPU; only after :meth:`lose`."""
        assert self._cpu is not None
        return getattr(getattr(self._cpu, channel), part)


class _Guarded:
    """One network of one channel; everything but calling it is the network's own."""

    def __init__(self, owner: ProviderFallback, model: ChannelModel, part: str) -> None:
        self._owner, self._channel, self._part = owner, model.name, part
        self._network = getattr(model, part)

    def __getattr__(self, name: str) -> Any:
        return getattr(self._network, name)

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        if not self._owner.is_lost:
            try:
                return self._network(*args, **kwargs)
            except Exception as error:
                # Whatever the provider raises; what fails on the CPU too is raised from there.
                self._owner.lose(error)
        return self._owner.on_cpu(self._channel, self._part)(*args, **kwargs)
