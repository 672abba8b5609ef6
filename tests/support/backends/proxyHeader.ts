/** What a header of the PROXY protocol says (haproxy's proxy-protocol.txt). */
export interface ProxyHeader {
  readonly version: 1 | 2;
  /** `LOCAL` is a connection of the proxy's own, such as a health check. */
  readonly command: 'PROXY' | 'LOCAL';
  readonly source: string | null;
  readonly sourcePort: number | null;
  readonly destination: string | null;
  readonly destinationPort: number | null;
}

const SIGNATURE = Buffer.from('\r\n\r\n\0\r\nQUIT\n', 'latin1');
const LONGEST_LINE = 107;

/** Reads the header at the start of a connection: `more` while it is not whole, `none` if there is none. */
export function parseProxyHeader(data: Buffer): { header: ProxyHeader; length: number } | 'more' | 'none' {
  const signed = Math.min(data.length, SIGNATURE.length);
  if (data.subarray(0, signed).equals(SIGNATURE.subarray(0, signed))) return parseBinary(data);
  const text = data.subarray(0, LONGEST_LINE).toString('latin1');
  if (!'PROXY '.startsWith(text.slice(0, 6))) return 'none';
  const end = text.indexOf('\r\n');
  if (end < 0) return text.length < LONGEST_LINE ? 'more' : 'none';
  const [, family, source, destination, sourcePort, destinationPort] = text.slice(0, end).split(' ');
  if (family === 'UNKNOWN') return { header: { version: 1, command: 'LOCAL', ...NOWHERE }, length: end + 2 };
  return {
    header: {
      version: 1,
      command: 'PROXY',
      source: source ?? null,
      sourcePort: Number(sourcePort),
      destination: destination ?? null,
      destinationPort: Number(destinationPort),
    },
    length: end + 2,
  };
}

const NOWHERE = { source: null, sourcePort: null, destination: null, destinationPort: null };

function parseBinary(data: Buffer): { header: ProxyHeader; length: number } | 'more' | 'none' {
  if (data.length < 16) return 'more';
  const length = 16 + data.readUInt16BE(14);
  if (data.length < length) return 'more';
  const command = data.readUInt8(12) === 0x21 ? 'PROXY' : 'LOCAL';
  const family = data.readUInt8(13);
  if (command === 'LOCAL') return { header: { version: 2, command, ...NOWHERE }, length };
  if (family === 0x11) {
    const dotted = (at: number) => [...data.subarray(at, at + 4)].join('.');
    const header = { version: 2, command, source: dotted(16), destination: dotted(20) } as const;
    return { header: { ...header, sourcePort: data.readUInt16BE(24), destinationPort: data.readUInt16BE(26) }, length };
  }
  if (family !== 0x21) return 'none';
  const header = { version: 2, command, source: groups(data, 16), destination: groups(data, 32) } as const;
  return { header: { ...header, sourcePort: data.readUInt16BE(48), destinationPort: data.readUInt16BE(50) }, length };
}

/** An IPv6 address as its eight groups, none left out. */
function groups(data: Buffer, at: number): string {
  return Array.from({ length: 8 }, (_, index) => data.readUInt16BE(at + 2 * index).toString(16)).join(':');
}
