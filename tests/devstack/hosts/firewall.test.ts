import { namesOf } from '../../../devstack/lab/hosts/config';
import { renderFirewall } from '../../../devstack/lab/hosts/firewall';
import { makePlan } from '../../../devstack/lab/hosts/plan';
import type { CloudView, Port, Rule } from '../../../devstack/lab/hosts/view';

const MAC = 'fa:16:3e:00:00:01';

function aPort(port: Partial<Port>): Port {
  return {
    id: 'one',
    networkId: 'net',
    macAddress: MAC,
    fixedIps: [{ subnetId: 'subnet', address: '10.0.0.5' }],
    deviceId: '',
    deviceOwner: 'slipstream-lab:test',
    addressPairs: [],
    groupIds: ['group'],
    hasPortSecurity: true,
    isUp: true,
    createdAt: '',
    ...port,
  };
}

function aRule(rule: Partial<Rule>): Rule {
  return {
    groupId: 'group',
    ethertype: 'IPv4',
    protocol: null,
    portMin: null,
    portMax: null,
    remoteCidr: null,
    remoteGroupId: null,
    ...rule,
  };
}

/** The rules of one chain, without those that every port has. */
function chain(name: string, ports: readonly Port[], rules: readonly Rule[] = []): string[] {
  const view: CloudView = {
    servers: [],
    networks: [{ id: 'net', name: 'net', mtu: 1500 }],
    subnets: [],
    ports,
    rules,
    floatingIps: [],
  };
  const plan = makePlan({ view, names: namesOf('/state'), management: [{ network: 'none', forwards: [] }] });
  const [, body = ''] = renderFirewall(plan, view).split(`chain ${name} {\n`);
  return (body.split('\n  }')[0] ?? '').split('\n').map((line) => line.trim());
}

describe('what the switch of a host lets through', () => {
  it('lets in the ports of a rule, from the addresses and pairs of the remote group alone', () => {
    const friend = aPort({
      id: 'two',
      groupIds: ['friends'],
      fixedIps: [{ subnetId: 'subnet', address: '10.0.0.6' }],
      addressPairs: [{ address: '10.0.0.60/32', macAddress: MAC }],
    });
    const rule = aRule({ protocol: 'tcp', portMin: 80, portMax: 81, remoteGroupId: 'friends' });

    const accepted = chain('in_pone', [aPort({}), friend], [rule]).filter((line) => line.includes('80-81'));

    expect(accepted).toEqual([
      'ip saddr 10.0.0.6 ether type ip meta l4proto tcp tcp dport 80-81 accept',
      'ip saddr 10.0.0.60/32 ether type ip meta l4proto tcp tcp dport 80-81 accept',
    ]);
  });

  it('lets nothing in by rules of groups that the port is not in', () => {
    const rule = aRule({ groupId: 'another', protocol: 'udp', portMin: 53 });

    expect(chain('in_pone', [aPort({})], [rule]).join()).not.toContain('dport 53');
  });

  it('takes numbers and names of protocols alike', () => {
    const rules = [
      aRule({ protocol: '17', portMin: 53, portMax: 53 }),
      aRule({ protocol: 'icmp', portMin: 8, portMax: 0 }),
      aRule({ protocol: '112', remoteCidr: '10.0.0.0/8' }),
      aRule({ ethertype: 'IPv6', protocol: 'ipv6-icmp', remoteCidr: '::/0' }),
    ];

    expect(chain('in_pone', [aPort({})], rules).slice(-5)).toEqual([
      'ether type ip meta l4proto udp udp dport 53-53 accept',
      'ether type ip meta l4proto icmp icmp type 8 accept',
      'ip saddr 10.0.0.0/8 ether type ip meta l4proto 112 accept',
      'ether type ip6 meta l4proto icmpv6 accept',
      'drop',
    ]);
  });

  it('lets out what comes from the address of a pair, by ARP and by IP, from the MAC address of the pair', () => {
    const port = aPort({ addressPairs: [{ address: '10.0.0.9/32', macAddress: 'fa:16:3e:00:00:99' }] });

    const lines = chain('out_pone', [port]).filter((line) => line.includes('10.0.0.9/32'));

    expect(lines[0]).toBe(
      'ether saddr fa:16:3e:00:00:99 ether type arp arp saddr ether fa:16:3e:00:00:99 arp saddr ip 10.0.0.9/32 accept',
    );
    expect(lines.at(-1)).toBe('ether saddr fa:16:3e:00:00:99 ip saddr 10.0.0.9/32 accept');
  });

  it('filters nothing of a port whose owner has switched port security off', () => {
    expect(chain('from_ports', [aPort({ hasPortSecurity: false })]).join()).not.toContain('pone');
  });
});
