"""The form of a scripted trader: a rule that quotes a price, and may look at the tape and remember."""

import abc
import re
from typing import Any, ClassVar

from jaxtyping import Array, PRNGKeyArray, PyTree, Shaped

from catallax.core import AbstractAgent, BuildError, Spec
from catallax.games.double_auction.observation import Order, TraderView


class AbstractTrader(AbstractAgent):
    """A trader that learns nothing between rounds. Write `quote`, in buyer's form; sellers come by reflection.

    `needs` names the fields of the tape that the rule reads; where the market's disclosure hides one, the population
    is refused when it is built. `short_name` is the name of the rule in settings and tables
    (`agents.traders.by_name`); it is the name of the class in snake case where the class sets none.
    """

    short_name: ClassVar[str]
    needs: ClassVar[tuple[str, ...]] = ()

    def __init_subclass__(cls, **options: Any) -> None:
        super().__init_subclass__(**options)
        if "short_name" not in vars(cls):
            cls.short_name = re.sub(r"(?<=[a-z0-9])(?=[A-Z])", "_", cls.__name__).lower()

    def init(self, key: Shaped[PRNGKeyArray, ""], spec: Spec) -> PyTree[Array]:
        """No state; raises `BuildError` if the market hides what the rule needs."""
        if not isinstance(spec.obs, TraderView):
            raise BuildError(
                f"{type(self).__name__} trades in double auctions; it was given {type(spec.obs).__name__} observations"
            )
        hidden = [name for name in self.needs if getattr(spec.obs.tape, name) is None]
        if hidden:
            raise BuildError(
                f"{type(self).__name__} needs {', '.join(hidden)} on the tape, which this market's disclosure hides; "
                "use FullDisclosure or another trader"
            )
        return ()

    def act(self, key: Shaped[PRNGKeyArray, ""], state: Any, memory: Any, obs: TraderView) -> Any:
        order, memory = self.quote(key, memory, obs)
        return order, memory, ()

    @abc.abstractmethod
    def quote(self, key: Shaped[PRNGKeyArray, ""], memory: Any, obs: TraderView) -> tuple[Order, PyTree[Array]]:
        """What to say at this tick, and what to remember. Consumes the key."""
