import { execFileSync } from 'node:child_process';
import { existsSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import {
  announcedBy,
  protocolName,
  type Route,
  renderBird,
  type SpeakingDomain,
} from '../../../driver/agent/bgp/render';
import { aVnic } from '../../support/networkEngine';

const LOG = '/var/lib/slipstream/bird.log';

function aDomain({
  bgp,
  ...over
}: Omit<Partial<SpeakingDomain>, 'bgp'> & { bgp?: Partial<SpeakingDomain['bgp']> } = {}) {
  return {
    ...{ id: 'domain-1', routes: [], vnics: [aVnic({ addresses: ['10.0.0.5/24', 'fd00::5/64'] })] },
    ...over,
    bgp: {
      ...{ localAs: 65001, routerId: '10.0.0.5', keepalive: 60, hold: 180, connectRetry: 10 },
      bfd: { transmitInterval: 1000, receiveInterval: 1000, multiplier: 3 },
      multihop: null,
      communities: [],
      peers: ['10.0.0.1', '10.0.0.2'].map((address) => ({ address, remoteAs: 64512, md5Secret: null, bfd: false })),
      ...bgp,
    },
  };
}
const route = (address: string, graceful = false): Route => ({ address, graceful });
const text = (domain: SpeakingDomain, routes: readonly Route[] = []) => renderBird(domain, routes, LOG).text;

/** The judge is the daemon itself, where there is one. */
function isAccepted(config: string): boolean {
  const bird = ['/usr/sbin/bird', '/usr/local/sbin/bird', '/usr/bin/bird'].find((path) => existsSync(path));
  if (bird === undefined) return true;
  const directory = mkdtempSync(join(tmpdir(), 'slbird-'));
  try {
    writeFileSync(join(directory, 'bird.conf'), config);
    execFileSync(bird, ['-p', '-c', join(directory, 'bird.conf')], { stdio: 'pipe' });
    return true;
  } finally {
    rmSync(directory, { recursive: true });
  }
}

describe('the configuration of a BIRD', () => {
  it('has both families on one session where all peers are of one, with own addresses for next hops', () => {
    const config = text(aDomain(), [route('10.0.0.60'), route('FD00:0::60')]);
    expect(config).toContain(
      [
        'protocol bgp peer_10_0_0_1 {',
        '  local 10.0.0.5 as 65001;',
        '  neighbor 10.0.0.1 as 64512;',
        '  direct;',
        '  strict bind yes;',
        '  hold time 180;',
        '  keepalive time 60;',
        '  connect retry time 10;',
      ].join('\n'),
    );
    expect(config).toContain('    next hop address fd00::5;');
    expect(config).toContain('  route 10.0.0.60/32 blackhole;');
    expect(config).toContain('  route fd00::60/128 blackhole;');
    expect(config).not.toContain('protocol kernel');
    expect(config.match(/import none;/g)).toHaveLength(4);
    expect(isAccepted(config)).toBe(true);
    expect([...announcedBy(config)].sort()).toEqual(['10.0.0.60', 'fd00::60']);
  });

  it('has a family of its own on each session where there are peers of both', () => {
    const peers = ['10.0.0.1', 'fd00::1'].map((address) => ({ address, remoteAs: 64512, md5Secret: null, bfd: true }));
    const config = text(aDomain({ bgp: { peers, multihop: 4, communities: ['64512:55', '1:2:3'] } }), [
      route('10.0.0.60', true),
    ]);
    expect(config.match(/^ {2}ipv[46] \{$/gm)).toEqual(['  ipv4 {', '  ipv6 {']);
    expect(config).toContain('  multihop 4;');
    expect(config).toContain('  bfd on;');
    expect(config).toContain(
      'blackhole { bgp_community.add((64512,55)); bgp_large_community.add((1,2,3)); bgp_community.add((65535,0)); };',
    );
    expect(isAccepted(config)).toBe(true);
  });

  it('watches peers on the link by BFD of one hop, which BGP asks for, and of several, which the vRouter begins', () => {
    const peers = [true, false].map((bfd, index) => ({
      ...{ address: `10.0.0.${index + 1}`, remoteAs: 64512, md5Secret: null, bfd },
    }));
    const config = text(aDomain({ bgp: { peers } }));
    expect(config.match(/^ {2}neighbor .* multihop on;$/gm)).toEqual([
      '  neighbor 10.0.0.1 local 10.0.0.5 multihop on;',
    ]);
    expect(config.match(/^ {2}bfd on;$/gm)).toHaveLength(1);
    expect(isAccepted(config)).toBe(true);
    expect(text(aDomain())).not.toContain('protocol bfd');
  });

  it('leaves a peer out for whom the engine has no address, or whose secret cannot be written, and says why', () => {
    const vnics = [aVnic({ addresses: ['10.0.0.5/24'] })];
    const peer = (address: string, md5Secret: string | null) => ({ address, remoteAs: 64512, md5Secret, bfd: false });
    const peers = [
      peer('fd00::1', null),
      peer('10.0.0.1', 'a"; }'),
      peer('10.0.0.2', 'x'.repeat(81)),
      peer('10.0.0.3', "it's"),
    ];
    const { text: config, without } = renderBird(aDomain({ vnics, bgp: { peers } }), [], LOG);
    expect([...without.keys()]).toEqual(['fd00::1', '10.0.0.1', '10.0.0.2']);
    expect(without.get('fd00::1')).toBe('the engine has no IPv6 address in this network');
    expect(config).not.toContain('a"');
    expect(config).toContain(`  password "it's";`);
    expect(isAccepted(config)).toBe(true);
  });

  it('takes no text that is not what it should be', () => {
    expect(() => text(aDomain({ bgp: { routerId: '1; }' } }))).toThrow(RangeError);
    expect(() => text(aDomain(), [route('10.0.0.60/32 blackhole; }')])).toThrow(RangeError);
    expect(() => text(aDomain({ bgp: { communities: ['1:2)); accept'] } }), [route('10.0.0.60')])).toThrow(RangeError);
    expect(() => text(aDomain({ bgp: { communities: ['65536:1'] } }), [route('10.0.0.60')])).toThrow(RangeError);
    expect(() => protocolName('fe80::1%eth0')).toThrow(RangeError);
  });

  it('does not depend on the order of VIPs', () => {
    const vips = ['10.0.0.60', '10.0.0.7', 'fd00::60'].map((vip) => route(vip));
    expect(text(aDomain(), vips)).toBe(text(aDomain(), [...vips].reverse()));
  });
});
