import fc from 'fast-check';
import {
  canonicalCidr,
  createAddressSpace,
  defaultPools,
  firstAddress,
  isAddress,
  overlap,
} from '../../../../driver/clouds/network/model/addressSpace';

const spaceOf = (cidr: string, gateway: string | null = null) => createAddressSpace(cidr, defaultPools(cidr, gateway));
const drain = (space: ReturnType<typeof spaceOf>): string[] => {
  const all: string[] = [];
  for (let next = space.takeNext(); next !== undefined; next = space.takeNext()) all.push(next);
  return all;
};

it('gives every usable address once: neither network, broadcast nor gateway', () => {
  expect(drain(spaceOf('10.0.0.0/29', '10.0.0.3'))).toEqual([
    '10.0.0.1',
    '10.0.0.2',
    '10.0.0.4',
    '10.0.0.5',
    '10.0.0.6',
  ]);
});

it.each([
  ['10.0.0.8/30', ['10.0.0.9', '10.0.0.10']],
  ['10.0.0.8/31', ['10.0.0.8', '10.0.0.9']],
  ['10.0.0.8/32', ['10.0.0.8']],
  ['fd00::/126', ['fd00::1', 'fd00::2', 'fd00::3']],
])('knows the usable addresses of %s', (cidr, usable) => {
  expect(drain(spaceOf(cidr))).toEqual(usable);
});

it('does not give an address again right after its release, but does once the others are taken', () => {
  const space = spaceOf('10.0.0.0/29');
  const [first] = [space.takeNext(), space.takeNext()];
  space.release(String(first));

  expect(space.takeNext()).toBe('10.0.0.3');
  expect(drain(space)).toEqual(['10.0.0.4', '10.0.0.5', '10.0.0.6', '10.0.0.1']);
});

it('skips what was asked for by address, inside and outside of the pools', () => {
  const space = createAddressSpace('10.0.0.0/24', [
    { start: '10.0.0.10', end: '10.0.0.11' },
    { start: '10.0.0.20', end: '10.0.0.20' },
  ]);

  expect([space.take('10.0.0.10'), space.take('10.0.0.10'), space.take('10.0.0.99')]).toEqual([true, false, true]);
  expect(space.countFree()).toBe(2);
  expect(drain(space)).toEqual(['10.0.0.11', '10.0.0.20']);
  expect(space.countFree()).toBe(0);
});

it('tells which addresses belong to the subnet', () => {
  const space = spaceOf('10.0.0.0/24');
  const inside = ['10.0.0.1', '10.0.0.254'];
  const outside = ['10.0.0.0', '10.0.0.255', '10.0.1.1', 'fd00::1', '10.1', 'rubbish', ''];

  expect(inside.filter((address) => space.contains(address))).toEqual(inside);
  expect(outside.filter((address) => space.contains(address))).toEqual([]);
});

it('never gives an address to two and never loses one, whatever the order of takes and releases', () => {
  const step = fc.oneof(
    fc.constant({ kind: 'next' as const }),
    fc.record({ kind: fc.constant('take' as const), host: fc.integer({ min: 1, max: 14 }) }),
    fc.record({ kind: fc.constant('release' as const), host: fc.integer({ min: 1, max: 14 }) }),
  );
  fc.assert(
    fc.property(fc.array(step, { maxLength: 80 }), (steps) => {
      const space = spaceOf('10.0.0.0/28');
      const held = new Set<string>();
      for (const one of steps) {
        if (one.kind === 'next') {
          const address = space.takeNext();
          expect(address === undefined).toBe(held.size === 14);
          if (address === undefined) continue;
          expect(held.has(address)).toBe(false);
          held.add(address);
        } else if (one.kind === 'take') {
          expect(space.take(`10.0.0.${one.host}`)).toBe(!held.has(`10.0.0.${one.host}`));
          held.add(`10.0.0.${one.host}`);
        } else {
          space.release(`10.0.0.${one.host}`);
          held.delete(`10.0.0.${one.host}`);
        }
        expect(space.countFree()).toBe(14 - held.size);
      }
    }),
  );
});

it('tells overlapping CIDRs from others', () => {
  expect(overlap('10.0.0.0/8', '10.3.0.0/16')).toBe(true);
  expect(overlap('10.0.0.0/16', '10.1.0.0/16')).toBe(false);
  expect(overlap('10.0.0.0/8', 'fd00::/8')).toBe(false);
});

it('writes CIDRs and addresses in one form and knows what is none', () => {
  expect(canonicalCidr('10.1.2.3/16')).toBe('10.1.0.0/16');
  expect(canonicalCidr('FD00:0::1/64')).toBe('fd00::/64');
  expect(canonicalCidr('10.1.2.3')).toBeUndefined();
  expect(firstAddress('10.1.0.0/16')).toBe('10.1.0.1');
  expect([isAddress('127.1'), isAddress('fe80::1%lo'), isAddress('::1')]).toEqual([false, false, true]);
});
