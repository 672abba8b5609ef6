/**
 * Files of captured packets (pcapng, draft-ietf-opsawg-pcapng), as far as captures need them: one section, interfaces with
 * names and times in nanoseconds, packets. Engines write one, and several are merged into one. Pure. Small enough to be
 * written here: no package that is kept does it, and Wireshark's mergecap would be a program every API host has to have.
 */

/** An interface packets were captured on. */
export interface CaptureInterface {
  readonly name: string;
  /** LINKTYPE_ value: 1 is Ethernet. */
  readonly linkType: number;
}

export interface CapturedPacket {
  /** Place of its interface in the file. */
  readonly interfaceIndex: number;
  /** Nanoseconds since 1970. */
  readonly at: bigint;
  /** On the wire; `data` may be less. */
  readonly originalLength: number;
  readonly data: Buffer;
}

const SECTION_HEADER = 0x0a0d0d0a;
const INTERFACE_DESCRIPTION = 1;
const ENHANCED_PACKET = 6;
const MAGIC = 0x1a2b3c4d;
const OPTION_NAME = 2;
const OPTION_RESOLUTION = 9;
/** Of a timestamp: 10 to the power of minus this. */
const NANOSECONDS = 9;

/** What a file begins with. */
export function sectionHeader(): Buffer {
  const body = Buffer.alloc(16);
  body.writeUInt32LE(MAGIC, 0);
  body.writeUInt16LE(1, 4);
  // The length of the section is not known.
  body.writeBigInt64LE(-1n, 8);
  return block(SECTION_HEADER, body);
}

/** Announces an interface: the first is 0, and so on. */
export function interfaceBlock({ name, linkType }: CaptureInterface): Buffer {
  const fixed = Buffer.alloc(8);
  fixed.writeUInt16LE(linkType, 0);
  const options = [option(OPTION_NAME, Buffer.from(name)), option(OPTION_RESOLUTION, Buffer.from([NANOSECONDS]))];
  return block(INTERFACE_DESCRIPTION, Buffer.concat([fixed, ...options, Buffer.alloc(4)]));
}

export function packetBlock({ interfaceIndex, at, originalLength, data }: CapturedPacket): Buffer {
  const fixed = Buffer.alloc(20);
  fixed.writeUInt32LE(interfaceIndex, 0);
  fixed.writeUInt32LE(Number(at >> 32n), 4);
  fixed.writeUInt32LE(Number(at & 0xffffffffn), 8);
  fixed.writeUInt32LE(data.length, 12);
  fixed.writeUInt32LE(originalLength, 16);
  return block(ENHANCED_PACKET, Buffer.concat([fixed, padded(data)]));
}

export interface CaptureFile {
  readonly interfaces: readonly CaptureInterface[];
  readonly packets: readonly CapturedPacket[];
}

/** Reads a file of one section as the functions above write it; ends before a block that is not all there. */
export function readCapture(file: Buffer): CaptureFile {
  const interfaces: CaptureInterface[] = [];
  const packets: CapturedPacket[] = [];
  for (let at = 0; at + 12 <= file.length; ) {
    const length = file.readUInt32LE(at + 4);
    if (length < 12 || length % 4 !== 0 || at + length > file.length) break;
    const body = file.subarray(at + 8, at + length - 4);
    const type = file.readUInt32LE(at);
    if (type === INTERFACE_DESCRIPTION && body.length >= 8) interfaces.push(readInterface(body));
    if (type === ENHANCED_PACKET && body.length >= 20) packets.push(readPacket(body));
    at += length;
  }
  return { interfaces, packets: packets.filter(({ interfaceIndex }) => interfaceIndex < interfaces.length) };
}

/** A file, and who captured it. */
export interface CapturePart {
  readonly engine: string;
  readonly file: Buffer;
}

/** One file of several, in the order of time; the names of interfaces begin with the engine's. */
export function mergeCaptures(parts: readonly CapturePart[]): Buffer {
  const files = parts.map(({ engine, file }) => ({ engine, ...readCapture(file) }));
  const interfaces: CaptureInterface[] = [];
  const packets: CapturedPacket[] = [];
  for (const file of files) {
    const first = interfaces.length;
    for (const { name, linkType } of file.interfaces) interfaces.push({ name: `${file.engine}:${name}`, linkType });
    for (const it of file.packets) packets.push({ ...it, interfaceIndex: first + it.interfaceIndex });
  }
  packets.sort((a, b) => (a.at < b.at ? -1 : a.at > b.at ? 1 : 0));
  return Buffer.concat([sectionHeader(), ...interfaces.map(interfaceBlock), ...packets.map(packetBlock)]);
}

function readInterface(body: Buffer): CaptureInterface {
  let name = '';
  for (let at = 8; at + 4 <= body.length; ) {
    const [code, length] = [body.readUInt16LE(at), body.readUInt16LE(at + 2)];
    if (code === 0) break;
    if (code === OPTION_NAME) name = body.toString('utf8', at + 4, at + 4 + length);
    at += 4 + roundUp(length);
  }
  return { name, linkType: body.readUInt16LE(0) };
}

function readPacket(body: Buffer): CapturedPacket {
  const captured = Math.min(body.readUInt32LE(12), body.length - 20);
  return {
    interfaceIndex: body.readUInt32LE(0),
    at: (BigInt(body.readUInt32LE(4)) << 32n) | BigInt(body.readUInt32LE(8)),
    originalLength: body.readUInt32LE(16),
    data: body.subarray(20, 20 + captured),
  };
}

function block(type: number, body: Buffer): Buffer {
  const length = body.length + 12;
  const head = Buffer.alloc(8);
  head.writeUInt32LE(type, 0);
  head.writeUInt32LE(length, 4);
  const tail = Buffer.alloc(4);
  tail.writeUInt32LE(length, 0);
  return Buffer.concat([head, body, tail]);
}

function option(code: number, value: Buffer): Buffer {
  const head = Buffer.alloc(4);
  head.writeUInt16LE(code, 0);
  head.writeUInt16LE(value.length, 2);
  return Buffer.concat([head, padded(value)]);
}

function padded(data: Buffer): Buffer {
  return Buffer.concat([data, Buffer.alloc(roundUp(data.length) - data.length)]);
}

/** Blocks and options end on 32 bits. */
function roundUp(length: number): number {
  return Math.ceil(length / 4) * 4;
}
