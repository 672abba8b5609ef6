import { ownTraffic, within } from '../../driver/agent/capture/filter';
import { createPcapStream } from '../../driver/agent/capture/pcapStream';
import { aMember, aPool, aSpec } from '../support/agentSpecs';

describe('what tcpdump writes', () => {
  const header = Buffer.alloc(24);
  header.writeUInt32LE(0xa1b23c4d, 0);
  header.writeUInt32LE(1, 20);
  const record = (text: string, length = text.length) => {
    const head = Buffer.alloc(16);
    head.writeUInt32LE(1_790_000_000, 0);
    head.writeUInt32LE(123_456_789, 4);
    head.writeUInt32LE(length, 8);
    head.writeUInt32LE(length + 5, 12);
    return Buffer.concat([head, Buffer.from(text)]);
  };

  it('is read in whatever pieces it comes', () => {
    const bytes = Buffer.concat([header, record('one'), record(''), record('three')]);
    const stream = createPcapStream();

    const packets = [...bytes].flatMap((byte) => stream.take(Buffer.from([byte])));

    expect(stream.linkType()).toBe(1);
    expect(packets.map(({ data }) => String(data))).toEqual(['one', '', 'three']);
    expect(packets[0]).toMatchObject({ at: 1_790_000_000_123_456_789n, originalLength: 8 });
  });

  it('is refused when it is something else', () => {
    expect(() => createPcapStream().take(Buffer.from('x'.repeat(30)))).toThrow('something else than packets');
    const stream = createPcapStream();
    expect(() => stream.take(Buffer.concat([header, record('', 2_000_000)]))).toThrow('impossible length');
  });
});

describe('the filter of a capture', () => {
  const spec = aSpec({
    vips: ['10.0.0.9', 'fd00::9'],
    pools: [
      aPool({
        members: [
          aMember({ address: '10.1.0.1', port: 80 }),
          aMember({ id: 'b', address: '10.1.0.1', port: 80, monitorAddress: '10.1.0.2', monitorPort: 81 }),
        ],
      }),
    ],
  });
  const own = 'host 10.0.0.9 or host fd00::9 or (host 10.1.0.1 and port 80) or (host 10.1.0.2 and port 81)';

  it('is for the load balancer’s own packets, each end once', () => {
    expect(ownTraffic(spec)).toBe(own);
  });

  it('has the user’s within it', () => {
    expect(within(own, 'tcp port 80 or udp')).toBe(`(${own}) and (tcp port 80 or udp)`);
    expect(within(own, ' ')).toBe(own);
  });
});
