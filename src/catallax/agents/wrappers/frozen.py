"""What was learnt, held fixed: a trained learner as a rule of its own, to be kept, seated anywhere and reused."""

from typing import Any

import equinox as eqx
import jax
from jaxtyping import Array, PRNGKeyArray, PyTree, Shaped

from catallax.core import (
    AbstractAgent,
    BuildError,
    Group,
    Independent,
    InputError,
    Joint,
    Lineup,
    Play,
    PlayState,
    Population,
    Shared,
    Spec,
)


class Frozen(AbstractAgent):
    """`rule` with the state it had reached: it acts as the learner would, and learns nothing.

    The state's arrays are leaves of the rule, not of the play: they may be swapped for others of the same shapes
    without compiling again, and a play's own state carries nothing of them. Give the seat the learner's interface.

    Args:
        rule: the learner.
        state: its state, as one seat holds it (`play_state.agents[group]` at one seat).
        noise: static; whether it draws its actions as the learner does, exploration and all. False: it takes its best
            action (the mean of a Gaussian policy, the greedy entry of a table), which needs a rule with `best`.

    Raises:
        InputError: `rule` is no rule, or has no `best` although noise is off.
        BuildError: the seat sees or does something of another form than the one the state was learnt in.
    """

    rule: AbstractAgent
    state: PyTree[Array]
    noise: bool = eqx.field(static=True, default=True)

    def __check_init__(self) -> None:
        """A rule that can do what is asked."""
        if not isinstance(self.rule, AbstractAgent):
            raise InputError(f"Frozen: rule must be a rule such as PPO(), got {self.rule!r}")
        if not self.noise and not hasattr(self.rule, "best"):
            raise InputError(
                f"Frozen: {type(self.rule).__name__} has no `best`, so its noise cannot be switched off; "
                "leave noise=True, or give the rule a method best(state, obs)"
            )

    def init(self, key: Shaped[PRNGKeyArray, ""], spec: Spec) -> PyTree[Array]:
        """Nothing; finds out whether the state fits the seat."""
        fresh = jax.eval_shape(lambda key: self.rule.init(key, spec), key)
        if _form(fresh) != _form(self.state):
            raise BuildError(
                f"Frozen: a {type(self.rule).__name__} of this seat has a state of the form {_form(fresh)[1]}, the "
                f"state given has {_form(self.state)[1]}; give the seat the interface, disclosure and rule of the run "
                "that the state is from, and the state of ONE seat (frozen_seat takes it out of a finished play)"
            )
        return ()

    def reset(self, key: Shaped[PRNGKeyArray, ""], state: Any) -> PyTree[Array]:
        return self.rule.reset(key, self.state)

    def act(
        self, key: Shaped[PRNGKeyArray, ""], state: Any, memory: Any, obs: Any
    ) -> tuple[PyTree[Any], PyTree[Array], tuple]:
        """As the learner, or its best."""
        if not self.noise:
            return self.rule.best(self.state, obs), memory, ()  # type: ignore[attr-defined]
        action, memory, _ = self.rule.act(key, self.state, memory, obs)
        return action, memory, ()


def _form(state: PyTree[Any]) -> tuple[Any, list[tuple[int, ...]]]:
    return jax.tree.structure(state), [x.shape for x in jax.tree.leaves(state)]


def _row(tree: PyTree[Any], i: int) -> PyTree[Any]:
    return jax.tree.map(lambda x: x[i] if eqx.is_array(x) else x, tree)


def _frozen(group: Group, state: PyTree[Array], i: int, noise: bool) -> Frozen:
    """The rule of the group's i-th seat with its state."""
    control = group.control
    if isinstance(control, Joint):
        raise InputError(f"{group} is one agent for all its seats: none of them has a state of its own")
    if isinstance(control, Lineup):  # its `agent` is the first rule, whoever sits in the seat
        raise InputError(f"{group} learns nothing and has another rule in every copy: there is nothing to freeze")
    if not isinstance(control, Independent):
        return Frozen(control.agent, state, noise)
    rule = control.agent if control.stacked is None else _row(control.agent, i)
    return Frozen(rule, _row(state, i), noise)


def frozen_seat(play: Play, state: PlayState, role: str, seat: int, noise: bool = True) -> Frozen:
    """What the learner in one seat had become, as a rule for any seat, or for all.

        bidder = frozen_seat(play, run(play, key, 500).state, "buyer", 0)
        Group("buyer", None, bidder, standard_interface())

    Args:
        play: the play that was run.
        state: its state; of ONE replication (no leading replicate axis).
        role, seat: whose.
        noise: as in `Frozen`.

    Raises:
        InputError: no such seat, or one that has no state of its own (`Joint`, `Lineup`).
    """
    for group, learnt in zip(play.population.groups, state.agents, strict=True):
        if group.role == role:
            size = next(r.seats for r in play.game.roles if r.name == role)
            seats = list(range(size)) if group.seats is None else [int(i) for i in group.seats]
            if seat in seats:
                return _frozen(group, learnt, seats.index(seat), noise)
    raise InputError(f"frozen_seat: this play has no seat {seat} in a role {role!r}")


def frozen_population(play: Play, state: PlayState, noise: bool = True) -> Population:
    """The population of a play with all that it has learnt, and learning no more.

    Seats, interfaces and lifts stay; groups that keep no state stay as they are. The population plays in any game that
    its interfaces fit: Play(other_game, frozen_population(play, state), ...).

    Args:
        play: the play that was run.
        state: its state; of ONE replication (no leading replicate axis).
        noise: as in `Frozen`; groups without a state are not touched.

    Raises:
        InputError: noise is switched off for a rule without `best`.
    """
    groups = []
    for group, learnt in zip(play.population.groups, state.agents, strict=True):
        if not jax.tree.leaves(learnt):
            groups.append(group)
            continue
        control: Any
        if isinstance(group.control, Independent):
            seats = jax.tree.leaves(learnt)[0].shape[0]
            control = Independent.each([_frozen(group, learnt, i, noise) for i in range(seats)])
        elif isinstance(group.control, Joint):
            control = Joint(Frozen(group.control.agent, learnt, noise))
        else:
            control = Shared(Frozen(group.control.agent, learnt, noise))
        groups.append(Group(group.role, group.seats, control, group.interface))
    return Population(groups)
