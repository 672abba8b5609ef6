/** A packet as tcpdump writes it. */
export interface StreamedPacket {
  /** Nanoseconds since 1970. */
  readonly at: bigint;
  readonly originalLength: number;
  readonly data: Buffer;
}

/** Takes what tcpdump writes (pcap with times in nanoseconds, in this host's byte order) as it comes. */
export interface PcapStream {
  /** LINKTYPE_ value; null before the header has come. */
  linkType(): number | null;
  /** The packets that are now complete. @throws Error for what is no such file */
  take(bytes: Buffer): StreamedPacket[];
}

const MAGIC = 0xa1b23c4d;
const HEADER = 24;
const RECORD = 16;
/** Longer than any packet of an interface: what says more is no record. */
const LONGEST = 1_048_576;

export function createPcapStream(): PcapStream {
  let rest = Buffer.alloc(0);
  let linkType: number | null = null;
  return {
    linkType: () => linkType,
    take(bytes) {
      rest = Buffer.concat([rest, bytes]);
      if (linkType === null) {
        if (rest.length < HEADER) return [];
        if (rest.readUInt32LE(0) !== MAGIC) throw new Error('tcpdump wrote something else than packets');
        linkType = rest.readUInt32LE(20) & 0xffff;
        rest = rest.subarray(HEADER);
      }
      const packets: StreamedPacket[] = [];
      for (;;) {
        const length = rest.length < RECORD ? null : rest.readUInt32LE(8);
        if (length !== null && length > LONGEST) throw new Error('tcpdump wrote a packet of an impossible length');
        if (length === null || rest.length < RECORD + length) return packets;
        packets.push({
          at: BigInt(rest.readUInt32LE(0)) * 1_000_000_000n + BigInt(rest.readUInt32LE(4)),
          originalLength: rest.readUInt32LE(12),
          data: Buffer.from(rest.subarray(RECORD, RECORD + length)),
        });
        rest = rest.subarray(RECORD + length);
      }
    },
  };
}
