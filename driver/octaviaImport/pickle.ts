/**
 * Octavia keeps a listener's `insert_headers` as a Python pickle. Of that format this reads a dictionary of texts,
 * booleans and None, and nothing else: a pickle is a program, and no other part of it may run here. Opcodes:
 * docs.python.org/3/library/pickletools.html.
 */

type Value = string | boolean | null;

interface Machine {
  readonly bytes: Buffer;
  at: number;
  readonly stack: (Value | typeof MARK | Map<string, Value>)[];
  readonly memo: Map<number, Value | Map<string, Value>>;
}

const MARK: unique symbol = Symbol('mark');

/** @throws RangeError for bytes that are no such dictionary */
export function readPickledTexts(bytes: Buffer): Record<string, Value> {
  const machine: Machine = { bytes, at: 0, stack: [], memo: new Map() };
  while (machine.at < bytes.length) {
    const code = take(machine, 1).readUInt8();
    if (code === STOP) {
      const [result] = machine.stack;
      if (!(result instanceof Map) || machine.stack.length > 1) break;
      return Object.fromEntries(result);
    }
    const run = OPCODES[code];
    if (!run) throw new RangeError(`a pickle that is no dictionary of texts: opcode 0x${code.toString(16)}`);
    run(machine);
  }
  throw new RangeError('a pickle that is no dictionary of texts');
}

const STOP = 0x2e;

/** What each opcode that such a dictionary has does, by its code. */
const OPCODES: Readonly<Record<number, (machine: Machine) => unknown>> = {
  /* PROTO, FRAME */
  128: (machine) => take(machine, 1),
  149: (machine) => take(machine, 8),
  /* EMPTY_DICT, MARK, NONE, NEWTRUE, NEWFALSE */
  125: ({ stack }) => stack.push(new Map()),
  40: ({ stack }) => stack.push(MARK),
  78: ({ stack }) => stack.push(null),
  136: ({ stack }) => stack.push(true),
  137: ({ stack }) => stack.push(false),
  /* SHORT_BINUNICODE, BINUNICODE, SHORT_BINSTRING */
  140: (machine) => machine.stack.push(text(machine, take(machine, 1).readUInt8())),
  88: (machine) => machine.stack.push(text(machine, take(machine, 4).readUInt32LE())),
  85: (machine) => machine.stack.push(text(machine, take(machine, 1).readUInt8())),
  /* MEMOIZE, BINPUT, LONG_BINPUT, BINGET, LONG_BINGET */
  148: (machine) => remember(machine, machine.memo.size),
  113: (machine) => remember(machine, take(machine, 1).readUInt8()),
  114: (machine) => remember(machine, take(machine, 4).readUInt32LE()),
  104: (machine) => recall(machine, take(machine, 1).readUInt8()),
  106: (machine) => recall(machine, take(machine, 4).readUInt32LE()),
  /* SETITEM, SETITEMS */
  115: (machine) => setItems(machine, machine.stack.splice(-2)),
  117: (machine) => {
    const items = machine.stack.splice(machine.stack.lastIndexOf(MARK));
    setItems(machine, items.slice(1));
  },
};

function take(machine: Machine, count: number): Buffer {
  const taken = machine.bytes.subarray(machine.at, machine.at + count);
  if (taken.length < count) throw new RangeError('a pickle that ends too early');
  machine.at += count;
  return taken;
}

function text(machine: Machine, length: number): string {
  return take(machine, length).toString('utf8');
}

function remember({ stack, memo }: Machine, key: number): void {
  const top = stack.at(-1);
  if (top !== undefined && top !== MARK) memo.set(key, top);
}

function recall({ stack, memo }: Machine, key: number): void {
  const value = memo.get(key);
  if (value === undefined) throw new RangeError('a pickle that recalls what it has not remembered');
  stack.push(value);
}

function setItems({ stack }: Machine, items: Machine['stack']): void {
  const target = stack.at(-1);
  if (!(target instanceof Map)) throw new RangeError('a pickle that sets items of no dictionary');
  for (let at = 0; at + 1 < items.length; at += 2) {
    const [key, value] = [items[at], items[at + 1]];
    if (typeof key !== 'string' || !isValue(value)) throw new RangeError('a pickle that is no dictionary of texts');
    target.set(key, value);
  }
}

function isValue(item: unknown): item is Value {
  return item === null || typeof item === 'string' || typeof item === 'boolean';
}
