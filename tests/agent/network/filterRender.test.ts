import fc from 'fast-check';
import { read } from '../../../driver/agent/network/commands';
import { renderFilter } from '../../../driver/agent/network/filter';
import { enter } from '../../../driver/agent/process/enter';
import type { DomainSpec } from '../../../driver/protocol/engineSpec';
import type { FirewallRule } from '../../../driver/protocol/spec';
import { aListener, aSpec } from '../../support/agentSpecs';
import { createTopology, type Namespace } from '../../support/namespaces';
import { aVnic } from '../../support/networkEngine';
import { describeWithNamespaces } from '../../support/withServers';

const DOMAIN: DomainSpec = { id: 'domain-1', vnics: [aVnic()], routes: [] };

const cidr = fc.oneof(
  fc.tuple(fc.ipV4(), fc.integer({ min: 0, max: 32 })).map(([address, length]) => `${address}/${length}`),
  fc.tuple(fc.ipV6(), fc.integer({ min: 0, max: 128 })).map(([address, length]) => `${address}/${length}`),
  fc.constantFrom('10.0.0.0/8', '10.1.0.0/16', '10.1.2.3', '0.0.0.0/0', '::/0', 'fd00::/8', '::ffff:10.0.0.1/128'),
  fc.constantFrom('', 'everyone', '10.0.0.0/33', '10.0.0.0/8 } accept ; #', '10.0.0.0/-1', 'fe80::1%eth0/64'),
);
const port = fc.integer({ min: 1, max: 65_535 });
const rule: fc.Arbitrary<FirewallRule> = fc.record({
  protocol: fc.constantFrom('tcp' as const, 'udp' as const, 'icmp' as const, 'ipv6-icmp' as const, null),
  portMin: fc.option(port),
  portMax: fc.option(port),
  sources: fc.array(cidr, { maxLength: 5 }),
});
const address = fc.oneof(fc.ipV4(), fc.ipV6());
const peer = fc.record({ name: fc.constant('b'), address });
const spec = fc
  .record({
    vips: fc.array(fc.oneof(fc.ipV4(), fc.ipV6()), { maxLength: 3 }),
    listeners: fc.array(
      fc
        .record({
          port,
          protocol: fc.constantFrom('TCP' as const, 'HTTP' as const, 'UDP' as const, 'SCTP' as const),
          allowedCidrs: fc.array(cidr, { maxLength: 5 }),
        })
        .map(aListener),
      { maxLength: 4 },
    ),
    firewall: fc.option(fc.array(rule, { maxLength: 4 })),
    peers: fc.record({ name: fc.constant('a'), address, port, others: fc.array(peer, { maxLength: 3 }) }),
  })
  .map(aSpec);

describeWithNamespaces('the text of a filter', () => {
  const topology = createTopology('ss-text');
  let namespace: Namespace;

  beforeAll(async () => {
    namespace = await topology.namespace('one');
  });
  afterAll(() => topology.dispose());

  it('is taken by nft whatever users have written', async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(spec, { maxLength: 4 }), fc.boolean(), async (specs, isClosed) => {
        const served = specs.map((one) => ({ ...one, ...(isClosed && { closed: true as const }) }));
        await read(enter(namespace.name, 'nft', ['-f', '-']), renderFilter(DOMAIN, served));
      }),
      { numRuns: 60 },
    );
  });

  it('lets in nobody by what is no network', () => {
    const text = renderFilter(DOMAIN, [
      aSpec({ vips: ['10.0.0.9'], listeners: [aListener({ port: 80, allowedCidrs: ['everyone', 'fd00::/8'] })] }),
    ]);
    expect(text).toContain('10.0.0.9 . tcp . 80 : goto listener_0_0_4');
    expect(text).toContain('chain listener_0_0_4 {\ndrop\n');
  });

  it('closes a load balancer to whoever begins, and lets the others in', () => {
    const listeners = [aListener({ port: 80 })];
    const [leaving, staying] = [aSpec({ vips: ['10.0.0.9'], listeners }), aSpec({ vips: ['10.0.0.8'], listeners })];
    const text = renderFilter(DOMAIN, [{ ...leaving, closed: true }, staying]);
    const lines = text.split('\n').map((line) => line.trim());
    const closing = lines.indexOf('ip daddr { 10.0.0.9 } tcp flags & (syn | ack) == syn drop');
    expect(closing).toBeGreaterThan(0);
    expect(closing).toBeLessThan(lines.indexOf('ip daddr . meta l4proto . th dport vmap @ports4'));
    expect(renderFilter(DOMAIN, [leaving, staying])).not.toContain('syn');
  });

  it('is the same for the same load balancers', () => {
    const specs = [aSpec({ vips: ['10.0.0.9'], firewall: [] })];
    expect(renderFilter(DOMAIN, specs)).toBe(renderFilter(DOMAIN, structuredClone(specs)));
  });
});
