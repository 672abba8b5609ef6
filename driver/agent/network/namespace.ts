import { createHash } from 'node:crypto';
import { readdirSync, readlinkSync, statSync } from 'node:fs';
import { enter } from '../process/enter';
import { read } from './commands';
import { changeLink, readLinks } from './ip';

/** The name of a domain's namespace: an engine's own, also where several engines share a host. */
export function namespaceName(engineId: string, domainId: string): string {
  return `ss-d-${createHash('sha256').update(`${engineId} ${domainId}`).digest('hex').slice(0, 10)}`;
}

/**
 * What differs from a new namespace's defaults. Neighbours are asked about and told of an address on the interface that
 * has it and no other; nothing is learnt from router advertisements; addresses count from the moment they are set; a VIP
 * that is gone for a moment does not keep haproxy from a reload; members may be met from all unprivileged ports.
 */
const SETTINGS: Readonly<Record<string, string>> = {
  'ipv4/conf/*/rp_filter': '0',
  'ipv4/conf/*/arp_ignore': '1',
  'ipv4/conf/*/arp_announce': '2',
  'ipv4/conf/*/arp_notify': '1',
  'ipv4/conf/*/accept_redirects': '0',
  'ipv4/conf/*/send_redirects': '0',
  'ipv4/conf/*/promote_secondaries': '1',
  'ipv4/ip_nonlocal_bind': '1',
  'ipv4/ip_local_port_range': '1024 65535',
  'ipv4/tcp_tw_reuse': '1',
  'core/somaxconn': '65535',
  'ipv4/tcp_max_syn_backlog': '65535',
  'ipv6/conf/*/disable_ipv6': '0',
  'ipv6/conf/*/accept_ra': '0',
  'ipv6/conf/*/autoconf': '0',
  'ipv6/conf/*/accept_dad': '0',
  'ipv6/conf/*/accept_redirects': '0',
  'ipv6/conf/*/ndisc_notify': '1',
  'ipv6/ip_nonlocal_bind': '1',
};

/**
 * Makes the namespace if it is not there, and sets what is to hold in it. Interfaces that come later inherit it. True if
 * it was made.
 */
export async function ensureNamespace(name: string): Promise<boolean> {
  const isNew = !(await listNamespaces()).has(name);
  if (isNew) await changeLink(null, 'netns', 'add', name);
  // The files under /proc/sys/net are those of the namespace of who opens them.
  const script = 'while read -r path value; do if [ -e "$path" ]; then echo "$value" > "$path"; fi; done';
  await read(enter(name, 'sh', ['-c', script]), settingsText());
  await changeLink(name, 'link', 'set', 'lo', 'up');
  return isNew;
}

function settingsText(): string {
  return Object.entries(SETTINGS)
    .flatMap(([path, value]) =>
      path.includes('*')
        ? [`${path.replace('*', 'all')} ${value}`, `${path.replace('*', 'default')} ${value}`]
        : [`${path} ${value}`],
    )
    .map((line) => `/proc/sys/net/${line}\n`)
    .join('');
}

/** What tells the namespace of that name from all others that live; null if there is none. */
export function namespaceIdentity(name: string): string | null {
  try {
    return `net:[${statSync(`/run/netns/${name}`).ino}]`;
  } catch {
    return null;
  }
}

/**
 * Gives a namespace its name again that somebody has deleted: it lives, with its interfaces, as long as a process in it
 * does. False if none does.
 */
export async function nameAgain(name: string, identity: string): Promise<boolean> {
  const inhabitant = readdirSync('/proc').find((pid) => /^\d+$/.test(pid) && networkOf(pid) === identity);
  if (inhabitant === undefined) return false;
  // Another one may have been made by that name.
  if ((await listNamespaces()).has(name)) await changeLink(null, 'netns', 'delete', name);
  await changeLink(null, 'netns', 'attach', name, inhabitant);
  return true;
}

function networkOf(pid: string): string | null {
  try {
    return readlinkSync(`/proc/${pid}/ns/net`);
  } catch {
    return null;
  }
}

export async function listNamespaces(): Promise<Set<string>> {
  const text = await read({ file: 'ip', words: ['netns', 'list'] });
  return new Set(text.split('\n').map((line) => line.split(' ')[0] ?? ''));
}

/** Removes the namespace. Its interfaces come back to where the agent is, for they would end with it. */
export async function removeNamespace(name: string): Promise<void> {
  if (!(await listNamespaces()).has(name)) return;
  for (const { ifname, link_type } of await readLinks(name)) {
    if (link_type === 'ether') await takeBack(name, ifname);
  }
  await changeLink(null, 'netns', 'delete', name);
}

/** Moves an interface, down and without addresses, to where the agent is. Never rejects: it may just have been unplugged. */
export async function takeBack(namespace: string, interfaceName: string): Promise<void> {
  try {
    await changeLink(namespace, 'link', 'set', interfaceName, 'down');
    await changeLink(namespace, 'link', 'set', interfaceName, 'netns', String(process.pid));
  } catch {
    // The next look finds it, if it is still there.
  }
}
