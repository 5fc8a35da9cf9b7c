//! One order has to fit everything: the versions of every account, and real time.
//!
//! Nodes are what happened at one moment within one bank: a transaction's entries there (those of
//! each step of a saga by themselves), a read, a list. An edge says *before*: the entry of one version before that of the next, a version's entry
//! before who read it, who read it before the next entry. And what was over before something else
//! began came before it; these edges would be too many, so time itself has nodes, one for each end,
//! in a chain: everything leads to its own end, and the last end before a beginning leads to what
//! began. A cycle is a contradiction, and it is told in words.

use std::collections::HashMap;

use super::reads::seen;
use crate::digest::{Digest, NEVER};
use crate::finding::{Reason, Verdict};
use crate::graph::Graph;

/// How many cycles are told; one contradiction can cause many.
const MOST: usize = 5;

enum Node {
    /// A transaction's entries at one bank, or those of one step of a saga.
    Write(usize),
    /// A read or a list.
    Read(usize),
    /// The end of something.
    Time,
}

struct Order<'d, 'a> {
    digest: &'d Digest<'a>,
    graph: Graph,
    nodes: Vec<Node>,
    /// For each edge the account whose versions make it; none for time.
    accounts: Vec<Option<usize>>,
    /// The node of each row of each account.
    writers: Vec<Vec<usize>>,
    /// When each node can have happened: node, not before, not after.
    spans: Vec<(usize, u64, u64)>,
}

pub(super) fn check(digest: &Digest<'_>, verdict: &mut Verdict) {
    let mut order = Order {
        digest,
        graph: Graph::default(),
        nodes: Vec::new(),
        accounts: Vec::new(),
        writers: Vec::new(),
        spans: Vec::new(),
    };
    order.writes();
    order.reads();
    order.time();
    for cycle in order.graph.cycles(MOST) {
        verdict.add(Reason::Cycle, || order.words(&cycle));
    }
}

impl Order<'_, '_> {
    fn node(&mut self, node: Node, span: Option<(u64, u64)>) -> usize {
        let at = self.graph.node();
        self.nodes.push(node);
        self.spans.extend(span.map(|(from, to)| (at, from, to)));
        at
    }

    fn edge(&mut self, from: usize, to: usize, account: Option<usize>) {
        if from != to {
            self.graph.edge(from, to);
            self.accounts.push(account);
        }
    }

    fn writes(&mut self) {
        let mut node_of: HashMap<(usize, &str, i16), usize> = HashMap::new();
        let digest = self.digest;
        for (account, ledger) in digest.ledgers.iter().enumerate() {
            let mut writers = Vec::with_capacity(ledger.rows.len());
            for row in &ledger.rows {
                let Some(at) = digest.transaction_of.get(&row.transaction).copied() else {
                    continue;
                };
                let key = (at, ledger.account.bank.as_str(), row.step);
                let known = node_of.get(&key).copied();
                let node = known.unwrap_or_else(|| {
                    let transaction = &digest.transactions[at];
                    let span = (transaction.start, transaction.settled);
                    self.node(Node::Write(at), Some(span))
                });
                node_of.insert(key, node);
                if let Some(before) = writers.last() {
                    self.edge(*before, node, Some(account));
                }
                writers.push(node);
            }
            self.writers.push(writers);
        }
    }

    fn reads(&mut self) {
        let digest = self.digest;
        for (operation, one) in digest.operations.iter().enumerate() {
            let seen = seen(digest, operation);
            if seen.is_empty() {
                continue;
            }
            let span = (one.invoked, one.completed);
            let node = self.node(Node::Read(operation), Some(span));
            for seen in seen {
                let Some(account) = digest.ledger_of.get(&seen.account).copied() else {
                    continue;
                };
                let version = usize::try_from(seen.version).unwrap_or(0);
                let writers = &self.writers[account];
                let before = version.checked_sub(1).and_then(|at| writers.get(at));
                let (before, after) = (before.copied(), writers.get(version).copied());
                if let Some(before) = before {
                    self.edge(before, node, Some(account));
                }
                if let Some(after) = after {
                    self.edge(node, after, Some(account));
                }
            }
        }
    }

    fn time(&mut self) {
        let spans = std::mem::take(&mut self.spans);
        let mut ends: Vec<(u64, usize)> = spans
            .iter()
            .filter(|(_, _, end)| *end != NEVER)
            .map(|(node, _, end)| (*end, *node))
            .collect();
        ends.sort_unstable();
        let mut moments: Vec<(u64, usize)> = Vec::with_capacity(ends.len());
        for (end, node) in ends {
            let moment = self.node(Node::Time, None);
            self.edge(node, moment, None);
            if let Some((_, before)) = moments.last() {
                self.edge(*before, moment, None);
            }
            moments.push((end, moment));
        }
        for (node, start, _) in spans {
            let before = moments.partition_point(|(end, _)| *end < start);
            if let Some((_, moment)) = before.checked_sub(1).map(|at| moments[at]) {
                self.edge(moment, node, None);
            }
        }
    }

    fn name(&self, node: usize) -> Option<String> {
        match &self.nodes[node] {
            Node::Write(at) => {
                let transaction = &self.digest.transactions[*at];
                let id = transaction.id;
                Some(match transaction.group {
                    Some((group, _)) => format!("{id} ({})", self.digest.groups[group].key),
                    None => id.to_string(),
                })
            }
            Node::Read(operation) => Some(self.digest.name(*operation)),
            Node::Time => None,
        }
    }

    /// Once around, beginning with something that happened.
    fn words(&self, cycle: &[usize]) -> String {
        let is_named = |edge: &usize| self.name(self.graph.ends(*edge).0).is_some();
        let first = cycle.iter().position(is_named).unwrap_or(0);
        let around = cycle.iter().cycle().skip(first).take(cycle.len());
        let mut before = self.name(self.graph.ends(cycle[first]).0);
        let mut sentences = Vec::new();
        let mut account = None;
        for edge in around {
            account = self.accounts[*edge].or(account);
            let Some(name) = self.name(self.graph.ends(*edge).1) else {
                continue;
            };
            let from = before.replace(name.clone()).unwrap_or_default();
            sentences.push(match account.take() {
                None => format!("{from} was over when {name} began"),
                Some(account) => {
                    let id = self.digest.ledgers[account].account.account;
                    format!("on {id} {from} is before {name}")
                }
            });
        }
        sentences.join("; ")
    }
}
