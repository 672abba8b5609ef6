import { interfaceBlock, mergeCaptures, packetBlock, readCapture, sectionHeader } from '../../driver/domain/pcapng';

const packet = (interfaceIndex: number, at: bigint, text: string) => ({
  interfaceIndex,
  at,
  originalLength: text.length + 10,
  data: Buffer.from(text),
});
const file = (names: readonly string[], packets: readonly ReturnType<typeof packet>[]) =>
  Buffer.concat([
    sectionHeader(),
    ...names.map((name) => interfaceBlock({ name, linkType: 1 })),
    ...packets.map(packetBlock),
  ]);
const NOW = 1_790_000_000_123_456_789n;

it('reads what it writes, to the nanosecond', () => {
  const packets = [packet(0, NOW, 'one'), packet(1, NOW + 1n, 'two and more')];

  expect(readCapture(file(['v0', 'vö1'], packets))).toEqual({
    interfaces: [
      { name: 'v0', linkType: 1 },
      { name: 'vö1', linkType: 1 },
    ],
    packets,
  });
});

it('reads what is there of a file that breaks off, anywhere', () => {
  const whole = file(['v0'], [packet(0, NOW, 'one'), packet(0, NOW, 'two')]);

  const counts = Array.from(whole, (_, length) => readCapture(whole.subarray(0, length)).packets.length);

  expect(counts[0]).toBe(0);
  expect(counts.at(-1)).toBe(1);
  expect([...counts].sort()).toEqual(counts);
});

it('ends at what is no block, and leaves out packets of interfaces nobody has announced', () => {
  const bad = Buffer.from('not a block at all: its length makes no sense');
  expect(readCapture(Buffer.concat([file(['v0'], [packet(0, NOW, 'one')]), bad])).packets).toHaveLength(1);
  expect(readCapture(file(['v0'], [packet(1, NOW, 'one')])).packets).toEqual([]);
});

it('merges the files of engines by time; names of interfaces tell the engine', () => {
  const merged = mergeCaptures([
    { engine: 'se-1', file: file(['v0', 'v1'], [packet(0, NOW, 'first'), packet(1, NOW + 2n, 'third')]) },
    { engine: 'se-empty', file: Buffer.alloc(0) },
    { engine: 'se-2', file: file(['v0'], [packet(0, NOW + 1n, 'second'), packet(0, NOW + 3n, 'fourth')]) },
  ]);

  const { interfaces, packets } = readCapture(merged);
  expect(interfaces.map(({ name }) => name)).toEqual(['se-1:v0', 'se-1:v1', 'se-2:v0']);
  expect(packets.map(({ interfaceIndex, data }) => [interfaceIndex, String(data)])).toEqual([
    [0, 'first'],
    [2, 'second'],
    [1, 'third'],
    [2, 'fourth'],
  ]);
});
