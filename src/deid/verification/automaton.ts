/** Where a search stands between two pieces of the same value. */
export interface Position {
  straight: number;
  swapped: number;
}

/**
 * Finds many byte strings at once (Aho and Corasick 1975), each as it is and with the bytes of every word of two exchanged. Letters of
 * ASCII match in any case, and zero bytes are passed over: what is written in UTF-16 is found by its bytes in Latin-1.
 */
export interface Automaton {
  readonly nodes: number;
  start(): Position;
  /**
   * Goes on from `position`, which it moves; pieces but the last are of even length.
   * @param order `straight` leaves out exchanged bytes
   * @returns the number of the first pattern that `accepts` takes; undefined: none
   */
  find(
    bytes: Uint8Array,
    position: Position,
    accepts: (pattern: number) => boolean,
    order?: "straight" | "both",
  ): number | undefined;
}

/** About 40 bytes a node. */
const NODE_LIMIT = 1_000_000;
/** States of less depth than this have a row of their own; patterns are not shorter, so that no such state ends one. */
const ROW_DEPTH = 3;
export const SHORTEST_PATTERN = 3;
const ZERO = 0;
const OTHER = 1;

/** @throws RangeError when the patterns need more memory than a study may have, or one is too short */
export function buildAutomaton(patterns: readonly Uint8Array[]): Automaton {
  const { classes, shift } = classesOf(patterns);
  const trie = createTrie(shift);
  for (const [index, pattern] of patterns.entries()) {
    if (pattern.length < SHORTEST_PATTERN) throw new RangeError("pattern too short");
    trie.insert(pattern, classes, index);
  }
  return automatonOf(sortByDepth(trie), classes, shift);
}

/** Bytes that no pattern has are one class; the letters of both cases are one. */
function classesOf(patterns: readonly Uint8Array[]): { readonly classes: Uint8Array; readonly shift: number } {
  const classes = new Uint8Array(256).fill(OTHER);
  classes[0] = ZERO;
  let count = 2;
  for (const pattern of patterns) {
    // By index: an iterator takes several times as long, and each study builds its own.
    for (let at = 0; at < pattern.length; at += 1) {
      const byte = pattern[at] ?? 0;
      const lowered = byte >= 0x41 && byte <= 0x5a ? byte + 0x20 : byte;
      if (classes[lowered] !== OTHER) continue;
      classes[lowered] = count;
      count += 1;
    }
  }
  for (let byte = 0x41; byte <= 0x5a; byte += 1) classes[byte] = classes[byte + 0x20] ?? OTHER;
  return { classes, shift: 32 - Math.clz32(count - 1) };
}

interface Edges {
  get(key: number): number;
  set(key: number, value: number): void;
}

const NONE = -1;
/** Knuth's multiplier: spreads keys that follow one another. */
const SPREAD = 0x9e3779b1;

/** A map of numbers to numbers in two arrays, half full at most. */
function createEdges(capacity: number): Edges {
  const bits = Math.max(4, 33 - Math.clz32(capacity));
  const keys = new Int32Array(2 ** bits).fill(NONE);
  const values = new Int32Array(2 ** bits);
  const mask = keys.length - 1;
  const slotOf = (key: number): number => {
    let slot = Math.imul(key, SPREAD) >>> (32 - bits);
    while (keys[slot] !== NONE && keys[slot] !== key) slot = (slot + 1) & mask;
    return slot;
  };
  return {
    get(key) {
      const slot = slotOf(key);
      return keys[slot] === key ? (values[slot] ?? NONE) : NONE;
    },
    set(key, value) {
      const slot = slotOf(key);
      keys[slot] = key;
      values[slot] = value;
    },
  };
}

interface Trie {
  readonly size: number;
  readonly parents: readonly number[];
  readonly classOf: readonly number[];
  readonly depths: readonly number[];
  /** The pattern that ends at a node; -1: none. */
  readonly ends: readonly number[];
}

function createTrie(shift: number): Trie & {
  insert(pattern: Uint8Array, classes: Uint8Array, index: number): void;
} {
  const parents = [0];
  const classOf = [0];
  const depths = [0];
  const ends = [NONE];
  let capacity = 1024;
  let edges = createEdges(capacity);
  const add = (parent: number, byteClass: number, depth: number): number => {
    const node = parents.length;
    if (node >= NODE_LIMIT) throw new RangeError("too many identifiers");
    if (node >= capacity) {
      capacity *= 4;
      edges = createEdges(capacity);
      for (let known = 1; known < node; known += 1) {
        edges.set(((parents[known] ?? 0) << shift) | (classOf[known] ?? 0), known);
      }
    }
    parents.push(parent);
    classOf.push(byteClass);
    depths.push(depth);
    ends.push(NONE);
    edges.set((parent << shift) | byteClass, node);
    return node;
  };
  return {
    parents,
    classOf,
    depths,
    ends,
    get size() {
      return parents.length;
    },
    insert(pattern, classes, index) {
      let node = 0;
      for (let depth = 0; depth < pattern.length; depth += 1) {
        const byteClass = classes[pattern[depth] ?? 0] ?? OTHER;
        const next = edges.get((node << shift) | byteClass);
        node = next === NONE ? add(node, byteClass, depth + 1) : next;
      }
      if (ends[node] === NONE) ends[node] = index;
    },
  };
}

interface SortedTrie {
  readonly size: number;
  readonly parents: Int32Array;
  readonly classOf: Uint8Array;
  readonly ends: Int32Array;
  /** Nodes with a row of their own come first. */
  readonly rows: number;
}

/** Nodes renumbered so that nearer ones to the root come first. */
function sortByDepth(trie: Trie): SortedTrie {
  const { size, depths } = trie;
  const starts: number[] = [];
  for (const depth of depths) starts[depth + 1] = (starts[depth + 1] ?? 0) + 1;
  starts[0] = 0;
  for (let depth = 1; depth < starts.length; depth += 1)
    starts[depth] = (starts[depth] ?? 0) + (starts[depth - 1] ?? 0);
  const rows = starts[Math.min(ROW_DEPTH, starts.length - 1)] ?? size;
  const renumbered = new Int32Array(size);
  for (let node = 0; node < size; node += 1) {
    const depth = depths[node] ?? 0;
    renumbered[node] = starts[depth] ?? 0;
    starts[depth] = (starts[depth] ?? 0) + 1;
  }
  const sorted = {
    size,
    parents: new Int32Array(size),
    classOf: new Uint8Array(size),
    ends: new Int32Array(size),
    rows,
  };
  for (let node = 0; node < size; node += 1) {
    const at = renumbered[node] ?? 0;
    sorted.parents[at] = renumbered[trie.parents[node] ?? 0] ?? 0;
    sorted.classOf[at] = trie.classOf[node] ?? 0;
    sorted.ends[at] = trie.ends[node] ?? NONE;
  }
  return sorted;
}

interface Links {
  readonly edges: Edges;
  /** The longest suffix of a node that is a node. */
  readonly fails: Int32Array;
  /** The nearest node among a node and its suffixes that ends a pattern; -1: none. */
  readonly reports: Int32Array;
  /** The state (a node, shifted) to which each class leads from a node with a row. */
  readonly table: Int32Array;
}

function linksOf({ size, parents, classOf, ends, rows }: SortedTrie, shift: number): Links {
  const width = 2 ** shift;
  const edges = createEdges(size);
  for (let node = 1; node < size; node += 1) edges.set(((parents[node] ?? 0) << shift) | (classOf[node] ?? 0), node);
  const fails = new Int32Array(size);
  const reports = new Int32Array(size).fill(NONE);
  const table = new Int32Array(rows * width);
  for (let node = 0; node < size; node += 1) {
    const byteClass = classOf[node] ?? 0;
    const parent = parents[node] ?? 0;
    if (parent !== 0) {
      let suffix = fails[parent] ?? 0;
      let next = edges.get((suffix << shift) | byteClass);
      while (next === NONE && suffix !== 0) {
        suffix = fails[suffix] ?? 0;
        next = edges.get((suffix << shift) | byteClass);
      }
      fails[node] = next === NONE ? 0 : next;
    }
    reports[node] = ends[node] === NONE ? (reports[fails[node] ?? 0] ?? NONE) : node;
    if (node >= rows) continue;
    for (let each = 0; each < width; each += 1) {
      const child = each === ZERO ? node : edges.get((node << shift) | each);
      const byFailing = node === 0 ? 0 : (table[((fails[node] ?? 0) << shift) | each] ?? 0);
      table[(node << shift) | each] = child === NONE ? byFailing : child << shift;
    }
  }
  return { edges, fails, reports, table };
}

function automatonOf(trie: SortedTrie, classes: Uint8Array, shift: number): Automaton {
  const { ends } = trie;
  const { edges, fails, reports, table } = linksOf(trie, shift);
  // States are nodes shifted, so that a state and a class together are an index.
  const rowsEnd = trie.rows << shift;

  /** From a state that has no row. */
  const step = (from: number, byteClass: number): number => {
    if (byteClass === ZERO) return from;
    let state = from;
    while (state >= rowsEnd) {
      const next = edges.get(state | byteClass);
      if (next !== NONE) return next << shift;
      state = (fails[state >>> shift] ?? 0) << shift;
    }
    return table[state | byteClass] ?? 0;
  };
  const patternAt = (state: number, accepts: (pattern: number) => boolean): number => {
    for (let at = reports[state >>> shift] ?? NONE; at > 0; at = reports[fails[at] ?? 0] ?? NONE) {
      const pattern = ends[at] ?? NONE;
      if (pattern !== NONE && accepts(pattern)) return pattern;
    }
    return NONE;
  };
  const straightOnly = (bytes: Uint8Array, position: Position, accepts: (pattern: number) => boolean): number => {
    let state = position.straight;
    for (let at = 0; at < bytes.length; at += 1) {
      const byteClass = classes[bytes[at] ?? 0] ?? 0;
      state = state < rowsEnd ? (table[state | byteClass] ?? 0) : step(state, byteClass);
      if (state < rowsEnd) continue;
      const found = patternAt(state, accepts);
      if (found !== NONE) return found;
    }
    position.straight = state;
    return NONE;
  };
  /** Both at once: neither waits for the other's look-up. */
  const inBothOrders = (bytes: Uint8Array, position: Position, accepts: (pattern: number) => boolean): number => {
    let { straight, swapped } = position;
    const even = bytes.length - (bytes.length % 2);
    for (let at = 0; at < even; at += 2) {
      const first = classes[bytes[at] ?? 0] ?? 0;
      const second = classes[bytes[at + 1] ?? 0] ?? 0;
      const between = straight < rowsEnd ? (table[straight | first] ?? 0) : step(straight, first);
      const betweenSwapped = swapped < rowsEnd ? (table[swapped | second] ?? 0) : step(swapped, second);
      straight = between < rowsEnd ? (table[between | second] ?? 0) : step(between, second);
      swapped = betweenSwapped < rowsEnd ? (table[betweenSwapped | first] ?? 0) : step(betweenSwapped, first);
      if (Math.max(between, betweenSwapped, straight, swapped) < rowsEnd) continue;
      for (const state of [between, straight, betweenSwapped, swapped]) {
        const found = state < rowsEnd ? NONE : patternAt(state, accepts);
        if (found !== NONE) return found;
      }
    }
    position.straight = straight;
    position.swapped = swapped;
    return even < bytes.length ? straightOnly(bytes.subarray(even), position, accepts) : NONE;
  };

  return {
    nodes: trie.size,
    start: () => ({ straight: 0, swapped: 0 }),
    find(bytes, position, accepts, order = "both") {
      const search = order === "both" ? inBothOrders : straightOnly;
      const found = search(bytes, position, accepts);
      return found === NONE ? undefined : found;
    },
  };
}
