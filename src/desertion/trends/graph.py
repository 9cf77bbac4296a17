"""Graph algorithms behind systems of counts: shortest paths, a named negative cycle, biconnected components, trees."""

from __future__ import annotations

import numpy as np

from desertion.trends.arrays import Floats, Ints


def shortest(n: int, tail: Ints, head: Ints, length: Floats, source: int | None = None) -> Floats | None:
    """Shortest distances from `source` (None: from a point at distance 0 of all); None where a cycle is negative."""
    distance = np.zeros(n) if source is None else np.full(n, np.inf)
    if source is not None:
        distance[source] = 0.0
    for _ in range(n + 1):
        new = distance.copy()
        np.minimum.at(new, head, distance[tail] + length)
        if np.array_equal(new, distance):
            return distance
        distance = new
    return None


def negative_cycle(n: int, tail: Ints, head: Ints, length: Floats, why: Ints) -> list[int]:
    """Find a cycle of negative length among `n` nodes (Bellman, 1958; Ford, 1956).

    Returns the sorted labels `why` (those at least 0) of its edges; empty where there is no such cycle.
    """
    # backward edges from the last node, then forward ones from the first: a consistent chain settles in two sweeps
    order = np.lexsort((head, np.where(tail > head, -tail, n + tail)))
    edges = list(zip(order.tolist(), tail[order].tolist(), head[order].tolist(), length[order].tolist(), strict=True))
    distance, via = [0.0] * n, [-1] * n
    for sweep in range(n + 1):
        changed = False
        for edge, u, v, step in edges:
            if distance[u] + step < distance[v]:
                distance[v], via[v], changed = distance[u] + step, edge, True
        if not changed:
            return []
        if sweep % 8 == 7 or sweep == n:
            cycle = _cycle(via, tail)
            if cycle:
                return sorted({int(why[edge]) for edge in cycle if why[edge] >= 0})
    return []


def _cycle(via: list[int], tail: Ints) -> list[int]:
    """Edges on a cycle of the predecessors, which is then of negative length; empty where there is none."""
    seen = [-1] * len(via)
    for start in range(len(via)):
        node, path = start, []
        while via[node] >= 0 and seen[node] < 0:
            seen[node] = start
            path.append(node)
            node = int(tail[via[node]])
        if path and via[node] >= 0 and seen[node] == start:
            return [via[each] for each in path[path.index(node) :]]
    return []


def biconnected(pairs: list[tuple[int, int]]) -> list[list[tuple[int, int]]]:
    """The biconnected components of a simple graph, as lists of its edges (Hopcroft & Tarjan, 1973)."""
    near: dict[int, list[int]] = {}
    for u, v in pairs:
        near.setdefault(u, []).append(v)
        near.setdefault(v, []).append(u)
    depth: dict[int, int] = {}
    reach: dict[int, int] = {}
    components: list[list[tuple[int, int]]] = []
    for root in near:
        if root in depth:
            continue
        depth[root] = reach[root] = 0
        path: list[tuple[int, int]] = []
        stack = [(root, -1, iter(near[root]))]
        while stack:
            u, above, others = stack[-1]
            for v in others:
                if v == above:
                    continue
                if v not in depth:
                    depth[v] = reach[v] = depth[u] + 1
                    path.append((u, v))
                    stack.append((v, u, iter(near[v])))
                    break
                if depth[v] < depth[u]:
                    path.append((u, v))
                    reach[u] = min(reach[u], depth[v])
            else:
                stack.pop()
                if stack:
                    reach[above] = min(reach[above], reach[u])
                    if reach[u] >= depth[above]:
                        cut = path.index((above, u))
                        components.append([(min(e), max(e)) for e in path[cut:]])
                        del path[cut:]
    return components


def tree(vertices: list[int], pairs: list[tuple[int, int]]) -> tuple[list[int], dict[int, int]] | None:
    """An order with parents first and the parent of each vertex (absent: a root); None where there is a cycle."""
    near: dict[int, list[int]] = {v: [] for v in vertices}
    for u, v in pairs:
        near[u].append(v)
        near[v].append(u)
    order: list[int] = []
    parent: dict[int, int] = {}
    for root in vertices:
        stack = [root] if root not in order else []
        while stack:
            u = stack.pop()
            order.append(u)
            others = [v for v in near[u] if v != parent.get(u)]
            if any(v in parent or v == root for v in others):
                return None
            parent.update(dict.fromkeys(others, u))
            stack += others
    return order, parent
