"""Where each file of a run lies.

runs/<experiment>-<scale>-<hash8>/
  spec.json                     the identity of the run, and the settings that make it
  manifest.json                 what it is, where and with what it was computed, the data dictionary
  inputs/<setting>.<suffix>     copies of the user's files
  cells/<cell>/block-000/
    chunk-00000000.safetensors  what the measures recorded from step 0 on; written once
    checkpoint.safetensors      the state after the last chunk; replaced at each chunk
    final.safetensors           the checkpoint of a finished block
  log.jsonl  LOCK
"""

import re
from dataclasses import dataclass
from pathlib import Path

_CHUNK = re.compile(r"chunk-(\d{8,})\.safetensors")


@dataclass(frozen=True)
class BlockFiles:
    """The files of one block of replications of one cell."""

    directory: Path

    @property
    def checkpoint(self) -> Path:
        """The state after the last chunk of an unfinished block."""
        return self.directory / "checkpoint.safetensors"

    @property
    def final(self) -> Path:
        """The state of a finished block; its presence says that the block is finished."""
        return self.directory / "final.safetensors"

    def chunk(self, start: int) -> Path:
        """The series of the chunk that begins with step `start`."""
        return self.directory / f"chunk-{start:08d}.safetensors"

    def chunks(self) -> list[Path]:
        """The chunk files there are, in the order of their steps."""
        found = [(int(m[1]), p) for p in self.directory.glob("chunk-*") if (m := _CHUNK.fullmatch(p.name))]
        return [p for _, p in sorted(found)]


@dataclass(frozen=True)
class RunFiles:
    """The files of one run."""

    directory: Path

    @property
    def spec(self) -> Path:
        """The identity of the run; its presence makes a directory a run."""
        return self.directory / "spec.json"

    @property
    def manifest(self) -> Path:
        """What the run is and how it was made."""
        return self.directory / "manifest.json"

    @property
    def log(self) -> Path:
        """One JSON line for each thing that happened."""
        return self.directory / "log.jsonl"

    @property
    def inputs(self) -> Path:
        """Copies of the user's files."""
        return self.directory / "inputs"

    @property
    def cells(self) -> Path:
        """The computed arrays."""
        return self.directory / "cells"

    def block(self, cell: str, block: int) -> BlockFiles:
        """The files of one block."""
        return BlockFiles(self.cells / cell / f"block-{block:03d}")
