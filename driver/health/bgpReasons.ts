import type { BgpSpec } from '../protocol/engineSpec';
import type { BgpState } from '../protocol/messages';

type PeerState = BgpState['peers'][number];

/** Longest of what a daemon says that is kept. */
const LONGEST = 500;

/**
 * Why a session is not there, in words that help: what the daemon says of a session that something on its way translates,
 * or that the other side ignores, does not.
 */
export function explainSession(bgp: BgpSpec | undefined, { address, lastError }: PeerState): string {
  const said = lastError === null ? 'no answer' : lastError.slice(0, LONGEST);
  const peer = bgp?.peers.find((it) => it.address === address);
  if (bgp === undefined || peer === undefined) return said;
  if (bgp.localAs === peer.remoteAs) {
    const advice = "Contrail's BGP as a Service takes no iBGP: give the engines another AS";
    return `iBGP: AS ${bgp.localAs} is the peer's own as well; ${advice} (${said})`;
  }
  if (lastError?.includes('Bad peer AS')) {
    return `the AS is not what was agreed upon: this side is ${bgp.localAs} and expects ${peer.remoteAs} (${said})`;
  }
  if (peer.md5Secret !== null) {
    const cause = 'the vRouter translates sessions of BGP as a Service, which signatures do not survive';
    return `an MD5 secret is set: ${cause}; try without (${said})`;
  }
  return said;
}
