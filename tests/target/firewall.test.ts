import type { SecurityGroupRule } from '../../driver/domain/securityGroup';
import { firewallRules } from '../../driver/target/firewall';

const aRule = (given: Partial<SecurityGroupRule>): SecurityGroupRule => ({
  direction: 'ingress',
  etherType: 'IPv4',
  protocol: null,
  portMin: null,
  portMax: null,
  remotePrefix: null,
  remoteGroupId: null,
  remoteAddressGroupId: null,
  ...given,
});
const members: Readonly<Record<string, readonly string[]>> = {
  clients: ['10.0.0.9', 'fd00::9', '10.0.0.5', '10.2.0.0/24'],
};
const rulesOf = (...rules: Partial<SecurityGroupRule>[]) => firewallRules(rules.map(aRule), (id) => members[id] ?? []);

it('knows protocols by name and by number, and leaves out what no VIP speaks', () => {
  expect(rulesOf({ protocol: 'TCP' }, { protocol: '17' }, { protocol: 'gre' }, { protocol: '132' })).toEqual([
    { protocol: 'tcp', portMin: null, portMax: null, sources: ['0.0.0.0/0'] },
    { protocol: 'udp', portMin: null, portMax: null, sources: ['0.0.0.0/0'] },
  ]);
});

it('leaves out what goes out', () => {
  expect(rulesOf({ direction: 'egress' })).toEqual([]);
});

it('takes anything of any protocol, in the family of the rule', () => {
  expect(rulesOf({ etherType: 'IPv6' }, {})).toEqual([
    { protocol: null, portMin: null, portMax: null, sources: ['0.0.0.0/0'] },
    { protocol: null, portMin: null, portMax: null, sources: ['::/0'] },
  ]);
});

it('takes an echo request for ICMP, whatever version, and no other type', () => {
  expect(
    rulesOf(
      { protocol: 'icmp', portMin: 8, portMax: 0 },
      { protocol: 'icmp', etherType: 'IPv6' },
      { protocol: 'icmp', portMin: 3, portMax: 3, remotePrefix: '10.9.0.0/16' },
    ),
  ).toEqual([
    { protocol: 'icmp', portMin: null, portMax: null, sources: ['0.0.0.0/0'] },
    { protocol: 'ipv6-icmp', portMin: null, portMax: null, sources: ['::/0'] },
  ]);
});

it('makes addresses of a group that a rule names, of its own family only', () => {
  const ports = { protocol: 'tcp', portMin: 80, portMax: 81 } as const;
  expect(
    rulesOf({ ...ports, remoteGroupId: 'clients' }, { ...ports, etherType: 'IPv6', remoteGroupId: 'clients' }),
  ).toEqual([
    { ...ports, sources: ['10.0.0.5/32', '10.0.0.9/32', '10.2.0.0/24'] },
    { ...ports, sources: ['fd00::9/128'] },
  ]);
});

it('lets nobody in by what cannot be resolved', () => {
  expect(rulesOf({ remoteGroupId: 'unknown' }, { remoteAddressGroupId: 'list' })).toEqual([]);
});

it('is the same in whatever order rules come, and says each thing once', () => {
  const one = { protocol: 'tcp', portMin: 80, portMax: 80, remotePrefix: '10.0.0.7/24' } as const;
  const other = { ...one, remotePrefix: '10.1.0.0/24' };
  expect(rulesOf(one, other, one)).toEqual([
    { protocol: 'tcp', portMin: 80, portMax: 80, sources: ['10.0.0.0/24', '10.1.0.0/24'] },
  ]);
  expect(rulesOf(other, one)).toEqual(rulesOf(one, other));
});
