"""The advertising auction and its solvers a second time: NumPy, loops and enumeration, nothing shared with the library.

Clearing is done by listing every vector of rivals' bids; policies are evaluated and improved by policy iteration (the
library evaluates by one linear solve and improves by value iteration).
"""

import itertools

import numpy as np


def clearing(alpha, bidders):
    """P(win at price p | bid a), `[A, A]`, by listing all rivals' bid vectors; ties are won with equal chances."""
    n = alpha.size
    table = np.zeros((n, n))
    for rivals in itertools.product(range(n), repeat=bidders - 1):
        chance = np.prod(alpha[list(rivals)])
        best = max(rivals)
        ties = rivals.count(best)
        for a in range(best, n):
            table[a, best] += chance * (1.0 if a > best else 1.0 / (ties + 1))
    return table


def kernel(alpha, *, budgets, bidders, value, penalty, refill):
    """Expected rewards `[S, A]` and transitions `[S, A, S]` of one bidder against bids drawn from alpha."""
    table, bids = clearing(alpha, bidders), alpha.size
    reward, move = np.zeros((budgets, bids)), np.zeros((budgets, bids, budgets))
    for s, a in itertools.product(range(budgets), range(bids)):
        outcomes = [(s, 1.0 - table[a].sum())]
        for p in range(a + 1):
            reward[s, a] += table[a, p] * (value - p - (1 + penalty) * max(p - s, 0))
            outcomes.append((max(s - p, 0), table[a, p]))
        for left, chance in outcomes:
            up = refill if left < budgets - 1 else 0.0
            move[s, a, left] += chance * (1 - up)
            move[s, a, min(left + 1, budgets - 1)] += chance * up
    return reward, move


def evaluate(reward, move, policy, gamma):
    """Values `[S]` and action values `[S, A]` of a policy."""
    states = reward.shape[0]
    chain = np.einsum("sa,sat->st", policy, move)
    value = np.linalg.solve(np.eye(states) - gamma * chain, (policy * reward).sum(1))
    return value, reward + gamma * move @ value


def optimal(reward, move, gamma):
    """Optimal values and action values, by policy iteration."""
    best = np.zeros(reward.shape[0], int)
    while True:
        value, q = evaluate(reward, move, np.eye(reward.shape[1])[best], gamma)
        better = np.where(q.max(1) > q[np.arange(best.size), best] + 1e-13, q.argmax(1), best)
        if (better == best).all():
            return value, q
        best = better


def softmax(x):
    """Row by row."""
    e = np.exp(x - x.max(1, keepdims=True))
    return e / e.sum(1, keepdims=True)


def stationary_law(policy, law, kernel_of, tol=1e-13, most=100_000):
    """The law that a policy leaves unchanged, reached from `law` step by step."""
    for _ in range(most):
        _, move = kernel_of(law.sum(0))
        after = np.einsum("sa,sat->t", law.sum(1)[:, None] * policy, move)[:, None] * policy
        if np.abs(after - law).sum() < tol:
            return after
        law = after
    raise AssertionError("the law did not come to rest")
