//! Cycles in a directed graph, in time proportional to its size.
//!
//! Strongly connected components by Tarjan's algorithm (1972), without recursion because a history
//! is longer than a stack is deep; in each component that has one, a shortest cycle through its
//! first node.

use std::collections::{HashMap, VecDeque};

/// Nodes are numbers from 0; edges are known by their place.
#[derive(Debug, Default)]
pub(crate) struct Graph {
    nodes: usize,
    edges: Vec<(usize, usize)>,
}

const UNSEEN: usize = usize::MAX;

impl Graph {
    pub(crate) fn node(&mut self) -> usize {
        self.nodes += 1;
        self.nodes - 1
    }

    /// Adds an edge and returns its place.
    pub(crate) fn edge(&mut self, from: usize, to: usize) -> usize {
        self.edges.push((from, to));
        self.edges.len() - 1
    }

    /// Where an edge leads from and to.
    pub(crate) fn ends(&self, edge: usize) -> (usize, usize) {
        self.edges[edge]
    }

    /// At most `most` cycles, each as the edges that are walked one after the other.
    pub(crate) fn cycles(&self, most: usize) -> Vec<Vec<usize>> {
        let outgoing = Outgoing::of(self);
        let components = components(self.nodes, &outgoing, self);
        let circular = components.iter().filter(|nodes| nodes.len() > 1);
        circular
            .take(most)
            .filter_map(|nodes| shortest(self, &outgoing, nodes))
            .collect()
    }
}

/// The edges that leave each node.
struct Outgoing {
    first: Vec<usize>,
    edges: Vec<usize>,
}

impl Outgoing {
    fn of(graph: &Graph) -> Self {
        let mut first = vec![0; graph.nodes + 1];
        for (from, _) in &graph.edges {
            first[from + 1] += 1;
        }
        for node in 0..graph.nodes {
            first[node + 1] += first[node];
        }
        let mut next = first.clone();
        let mut edges = vec![0; graph.edges.len()];
        for (place, (from, _)) in graph.edges.iter().enumerate() {
            edges[next[*from]] = place;
            next[*from] += 1;
        }
        Self { first, edges }
    }

    fn of_node(&self, node: usize) -> &[usize] {
        &self.edges[self.first[node]..self.first[node + 1]]
    }
}

fn components(nodes: usize, outgoing: &Outgoing, graph: &Graph) -> Vec<Vec<usize>> {
    let (mut order, mut low) = (vec![UNSEEN; nodes], vec![0; nodes]);
    let mut is_open = vec![false; nodes];
    let (mut open, mut found, mut counter) = (Vec::new(), Vec::new(), 0);
    for root in 0..nodes {
        if order[root] != UNSEEN {
            continue;
        }
        // A node, and which of its edges is next.
        let mut path = vec![(root, 0)];
        while let Some((node, next)) = path.last_mut() {
            let node = *node;
            if *next == 0 {
                (order[node], low[node]) = (counter, counter);
                counter += 1;
                open.push(node);
                is_open[node] = true;
            }
            if let Some(edge) = outgoing.of_node(node).get(*next) {
                *next += 1;
                let (_, to) = graph.ends(*edge);
                if order[to] == UNSEEN {
                    path.push((to, 0));
                } else if is_open[to] {
                    low[node] = low[node].min(order[to]);
                }
                continue;
            }
            path.pop();
            if let Some((parent, _)) = path.last() {
                low[*parent] = low[*parent].min(low[node]);
            }
            if low[node] == order[node] {
                let start = open.iter().rposition(|one| *one == node).unwrap_or(0);
                let component = open.split_off(start);
                for one in &component {
                    is_open[*one] = false;
                }
                found.push(component);
            }
        }
    }
    found
}

/// A shortest way from the component's first node back to it.
fn shortest(graph: &Graph, outgoing: &Outgoing, component: &[usize]) -> Option<Vec<usize>> {
    let start = *component.iter().min()?;
    let inside: std::collections::HashSet<usize> = component.iter().copied().collect();
    let mut came_by: HashMap<usize, usize> = HashMap::new();
    let mut waiting = VecDeque::from([start]);
    while let Some(node) = waiting.pop_front() {
        for edge in outgoing.of_node(node) {
            let (_, to) = graph.ends(*edge);
            if to == start {
                let mut path = vec![*edge];
                let mut at = node;
                while at != start {
                    let edge = *came_by.get(&at)?;
                    path.push(edge);
                    at = graph.ends(edge).0;
                }
                path.reverse();
                return Some(path);
            }
            if inside.contains(&to) && !came_by.contains_key(&to) {
                came_by.insert(to, *edge);
                waiting.push_back(to);
            }
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    fn graph(nodes: usize, edges: &[(usize, usize)]) -> Graph {
        let mut graph = Graph::default();
        for _ in 0..nodes {
            graph.node();
        }
        for (from, to) in edges {
            graph.edge(*from, *to);
        }
        graph
    }

    #[test]
    fn a_graph_without_a_cycle_has_none() {
        let edges = [(0, 1), (0, 2), (1, 3), (2, 3), (3, 4)];
        assert!(graph(5, &edges).cycles(9).is_empty());
        assert!(graph(0, &[]).cycles(9).is_empty());
    }

    #[test]
    fn a_cycle_is_found_and_walked_once_around() {
        let graph = graph(6, &[(0, 1), (1, 2), (2, 3), (3, 1), (2, 1), (4, 5)]);
        assert_eq!(graph.cycles(9), [[1, 4]]);
    }

    #[test]
    fn a_chain_longer_than_any_stack_is_walked() {
        let edges: Vec<_> = (0..300_000).map(|node| (node, node + 1)).collect();
        let mut long = graph(300_001, &edges);
        assert!(long.cycles(9).is_empty());
        long.edge(300_000, 0);
        assert_eq!(long.cycles(9)[0].len(), 300_001);
    }
}
