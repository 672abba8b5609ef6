import { z } from 'zod';
import { run, runIn } from '../../../../devstack/lab/hosts/shell';
import { isV6 } from '../plan';

/** What the kernel of a routing instance says of itself. */

const Routes = z.array(
  z.object({ dev: z.string().optional(), nexthops: z.array(z.object({ dev: z.string() })).optional() }),
);
const family = (address: string): string => (isV6(address) ? '-6' : '-4');

/** The devices that lead to a prefix in a table; empty: there is no such route. */
export async function readRoute(namespace: string, prefix: string, table: number): Promise<string[]> {
  const words = ['-n', namespace, '-j', family(prefix), 'route', 'show', 'table', String(table), 'exact', prefix];
  const printed = await run('ip', words).catch((error: unknown) => {
    if (/FIB table does not exist/.test(String(error))) return '[]';
    throw error;
  });
  return Routes.parse(JSON.parse(printed.trim() || '[]')).flatMap(({ dev, nexthops }) =>
    nexthops ? nexthops.map((one) => one.dev) : dev === undefined ? [] : [dev],
  );
}

export interface FiveTuple {
  readonly source: string;
  readonly destination: string;
  readonly protocol: 'tcp' | 'udp';
  readonly sourcePort: string;
  readonly destinationPort: string;
}

/** Which device a flow that comes in by another one leaves by: the kernel's own choice among several. */
export async function chooseDevice(namespace: string, entry: string, flow: FiveTuple): Promise<string | undefined> {
  const { source, destination, protocol, sourcePort, destinationPort } = flow;
  const words = ['-n', namespace, '-j', 'route', 'get', destination, 'from', source, 'iif', entry];
  const ports = ['ipproto', protocol, 'sport', sourcePort, 'dport', destinationPort];
  const found = await run('ip', [...words, ...ports]).catch(() => '[]');
  return Routes.parse(JSON.parse(found.trim() || '[]'))[0]?.dev;
}

/** The mark of a flow that is there; undefined: it is not. */
export async function markOfFlow(namespace: string, flow: FiveTuple): Promise<number | undefined> {
  const { source, destination, protocol, sourcePort, destinationPort } = flow;
  const words = ['-L', '-f', isV6(source) ? 'ipv6' : 'ipv4', '-p', protocol, '-s', source, '-d', destination];
  const ports = ['--orig-port-src', sourcePort, '--orig-port-dst', destinationPort];
  const printed = await runIn(namespace, 'conntrack', [...words, ...ports]);
  const [, mark] = /\bmark=(\d+)/.exec(printed) ?? [];
  return mark === undefined || mark === '0' ? undefined : Number(mark);
}

/** By floating IP: the marks of the devices it leads to, and the addresses it is translated to. */
export async function readTranslations(namespace: string, outer: string): Promise<{ mark: number; inner: string }[]> {
  const printed = await runIn(namespace, 'nft', ['list', 'chain', 'inet', 'vrouter', 'inward']).catch(() => '');
  return printed.split('\n').flatMap((line) => {
    const [, mark, to, inner] = /meta mark (\S+) ip6? daddr (\S+) dnat ip6? to (\S+)/.exec(line) ?? [];
    return mark !== undefined && inner !== undefined && to === outer ? [{ mark: Number(mark), inner }] : [];
  });
}

const Links = z.array(z.object({ ifindex: z.number(), flags: z.array(z.string()) }));

/** Undefined: it is not there. */
export async function readLink(namespace: string, device: string): Promise<{ index: number; up: boolean } | undefined> {
  const printed = await run('ip', ['-n', namespace, '-j', 'link', 'show', 'dev', device]).catch(() => '[]');
  const [link] = Links.parse(JSON.parse(printed.trim() || '[]'));
  return link && { index: link.ifindex, up: link.flags.includes('UP') };
}
