/** Tarjan's algorithm: the parts of a graph in which each node reaches each other one. */

/** The component of each node from 0 to `count - 1`. A component's number is above those that it leads to. */
export function strongComponents(count: number, successorsOf: (node: number) => readonly number[]): number[] {
  const order = new Array<number>(count).fill(-1);
  const lowest = new Array<number>(count).fill(0);
  const component = new Array<number>(count).fill(-1);
  const open: number[] = [];
  let visited = 0;
  let components = 0;
  const enter = (node: number): { node: number; successors: readonly number[]; at: number } => {
    order[node] = visited;
    lowest[node] = visited;
    visited += 1;
    open.push(node);
    return { node, successors: successorsOf(node), at: 0 };
  };
  const lower = (node: number, to: number): void => {
    lowest[node] = Math.min(lowest[node] ?? 0, to);
  };
  const close = (node: number): void => {
    if (lowest[node] !== order[node]) return;
    let member: number | undefined;
    do {
      member = open.pop();
      if (member !== undefined) component[member] = components;
    } while (member !== node && member !== undefined);
    components += 1;
  };
  for (let root = 0; root < count; root += 1) {
    if (order[root] !== -1) continue;
    const stack = [enter(root)];
    for (let frame = stack[0]; frame !== undefined; frame = stack[stack.length - 1]) {
      const successor = frame.successors[frame.at];
      frame.at += 1;
      if (successor === undefined) {
        close(frame.node);
        stack.pop();
        const parent = stack[stack.length - 1];
        if (parent !== undefined) lower(parent.node, lowest[frame.node] ?? 0);
      } else if (order[successor] === -1) stack.push(enter(successor));
      else if (component[successor] === -1) lower(frame.node, order[successor] ?? 0);
    }
  }
  return component;
}
