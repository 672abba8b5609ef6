import { createHmac, timingSafeEqual } from 'node:crypto';
import { z } from 'zod';

/** What engines say to one another on a network of data: that they live, and of which load balancers they are the master. */

const ClaimText = z.tuple([z.string(), z.number().int().min(0), z.union([z.literal(0), z.literal(1)])]);
const BeatText = z.object({
  from: z.string(),
  /** New at every start of the agent. */
  boot: z.string(),
  sequence: z.number().int().min(0),
  claims: z.array(ClaimText),
});

/** What an engine says of its mastership of a load balancer. */
export interface Claim {
  readonly loadBalancerId: string;
  readonly term: number;
  readonly master: boolean;
}

export interface Beat {
  /** Of the engine. */
  readonly from: string;
  readonly boot: string;
  readonly sequence: number;
  readonly claims: readonly Claim[];
}

/** UDP. */
export const BEAT_PORT = 3786;
/** So that a datagram is not cut up. */
export const MOST_CLAIMS = 20;
const MAC_BYTES = 32;

/** A datagram, with a code by the key of the two. */
export function encodeBeat({ claims, ...beat }: Beat, key: string): Buffer {
  const short = claims.map(({ loadBalancerId, term, master }) => [loadBalancerId, term, master ? 1 : 0]);
  const text = Buffer.from(JSON.stringify({ ...beat, claims: short }));
  return Buffer.concat([codeOf(text, key), text]);
}

/** Null for what was not said by whom it says, or not to this engine. */
export function decodeBeat(datagram: Buffer, keyOf: (engineId: string) => string | undefined): Beat | null {
  try {
    const text = datagram.subarray(MAC_BYTES);
    const { claims, ...beat } = BeatText.parse(JSON.parse(text.toString()));
    const key = keyOf(beat.from);
    if (key === undefined || !timingSafeEqual(codeOf(text, key), datagram.subarray(0, MAC_BYTES))) return null;
    const long = claims.map(([loadBalancerId, term, master]) => ({ loadBalancerId, term, master: master === 1 }));
    return { ...beat, claims: long };
  } catch {
    return null;
  }
}

function codeOf(text: Buffer, key: string): Buffer {
  return createHmac('sha256', key).update(text).digest();
}
