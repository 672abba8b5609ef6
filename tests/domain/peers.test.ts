import { choosePeerPort, listPeers, PEER_PORTS, peersOf } from '../../driver/domain/peers';
import type { Vnic } from '../../driver/domain/vnic';

const aVnic = (engineId: string, addresses: readonly string[], over: Partial<Vnic> = {}): Vnic => ({
  ...{ id: `vnic-${engineId}`, engineId, domainId: 'front', networkId: 'front', subnetId: null, subnetIds: [] },
  ...{ vipSide: true, portId: 'port', macAddress: 'fa:16:3e:00:00:01', ipAddress: null, deleting: false },
  facts: { subnetIds: [], mtu: 1500, addresses, gateways: [], hostRoutes: [], staticRoutes: [] },
  ...over,
});

it('names the engines that can be reached, by id and without prefix lengths', () => {
  const vnics = [
    aVnic('b', ['10.0.0.6/24', 'fd00::6/64']),
    aVnic('a', ['fd00::5/64', '10.0.0.5/24']),
    aVnic('unplugged', [], { facts: null }),
    aVnic('going', ['10.0.0.9/24'], { deleting: true }),
  ];
  expect(listPeers(vnics)).toEqual([
    { engineId: 'a', address: '10.0.0.5' },
    { engineId: 'b', address: '10.0.0.6' },
  ]);
});

it('takes IPv6 once one of them has no other address', () => {
  const vnics = [aVnic('a', ['10.0.0.5/24', 'fd00::5/64']), aVnic('b', ['fd00::6/64'])];
  expect(listPeers(vnics).map(({ address }) => address)).toEqual(['fd00::5', 'fd00::6']);
});

it('meets in the network of the VIP, else in that of the way to it, never in two', () => {
  const members = (id: string) => aVnic(id, ['10.7.0.5/24'], { networkId: 'members', vipSide: false });
  const hop = (id: string) => aVnic(id, [`10.3.0.${id === 'a' ? 5 : 6}/24`], { networkId: 'hop' });
  expect(listPeers([members('a'), hop('a'), members('b'), hop('b')])).toEqual([
    { engineId: 'a', address: '10.3.0.5' },
    { engineId: 'b', address: '10.3.0.6' },
  ]);
  expect(listPeers([members('a'), aVnic('a', ['10.0.0.5/24']), hop('b')])).toEqual([
    { engineId: 'a', address: '10.0.0.5' },
  ]);
});

it('tells an engine itself and the others, and one that is not among them nothing', () => {
  const all = listPeers([aVnic('a', ['10.0.0.5/24']), aVnic('b', ['10.0.0.6/24'])]);
  expect(peersOf('b', all, 12_000)).toEqual({
    ...{ engineId: 'b', address: '10.0.0.6', port: 12_000 },
    others: [{ engineId: 'a', address: '10.0.0.5' }],
  });
  expect(peersOf('c', all, 12_000)).toBeUndefined();
});

it('chooses a port that nobody has, in its range, as long as there is one', () => {
  const { first, count } = PEER_PORTS;
  expect(choosePeerPort(7, new Set())).toBe(first + 7);
  expect(choosePeerPort(count - 1, new Set([first + count - 1, first]))).toBe(first + 1);
  const all = new Set(Array.from({ length: count }, (_, index) => first + index));
  expect(choosePeerPort(7, all)).toBeNull();
});
