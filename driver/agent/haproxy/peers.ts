import type { PeersSpec } from '../../protocol/spec';
import { keepsTable, PEERS } from './backend';
import { type Layout, socketAddress } from './layout';
import { fixed, heading, type Line, line, quote, type Word } from './words';

/** Whom a haproxy shares its tables with; undefined: with nobody but the worker that follows it. */
export function sharingOf({ spec, backends }: Layout): PeersSpec | undefined {
  return backends.some(keepsTable) ? spec.peers : undefined;
}

/** How a haproxy is called by its peers. */
export function localPeer(layout: Layout): Word {
  const sharing = sharingOf(layout);
  return sharing === undefined ? fixed('self') : quote(sharing.name);
}

/**
 * The section of those that share tables. An old worker hands its own to the next one over the address of its local peer:
 * that is `socket` where no other engine is to reach it.
 */
export function peerLines(layout: Layout, socket: string): Line[] {
  if (!layout.backends.some(keepsTable)) return [];
  const shared = sharedPeerLines(layout);
  return shared.length > 0
    ? shared
    : [heading(null, fixed(`peers ${PEERS}`)), line(null, fixed('peer self'), quote(`unix@${socket}`))];
}

/** Of the section, what a spec says. */
export function sharedPeerLines(layout: Layout): Line[] {
  const sharing = sharingOf(layout);
  if (sharing === undefined) return [];
  const { name, address, port, others } = sharing;
  return [
    heading(null, fixed(`peers ${PEERS}`)),
    ...[{ name, address }, ...others].map((peer) =>
      line(null, fixed('peer'), quote(peer.name), quote(socketAddress(peer.address, port))),
    ),
  ];
}
