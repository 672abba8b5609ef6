import type { SurveyedPort } from '../../domain/survey';
import { contentOf, problemOf, type TraceFacts } from '../facts';
import { floatingIpsOf, listed, nameOf, networkIn, subject, vipSides } from '../lookup';
import type { Draft } from './rows';

export function portLines({ tree, ports }: TraceFacts): Draft[] {
  const problem = problemOf(ports);
  if (problem !== undefined) {
    return [{ section: 'ports', subject: 'ports', status: 'unknown', text: problem, read: ports.at }];
  }
  const ids = [tree.vip, ...tree.additionalVips].flatMap(({ portId }) => portId ?? []);
  return [...new Set(ids)].map((id) => {
    const port = contentOf(ports)?.find((it) => it.id === id);
    const addresses = port?.fixedIps.map(({ ipAddress }) => ipAddress).join(', ');
    return {
      section: 'ports',
      subject: subject.vipPort(id),
      text: port ? `VIP port ${id} (${port.name}): ${addresses || 'no address'}` : `VIP port ${id} is not there`,
      read: ports.at,
    };
  });
}

export function wiringLines(facts: TraceFacts): Draft[] {
  const { survey } = facts;
  if (survey === undefined) return recordedLines(facts);
  const problem = problemOf(survey);
  if (problem !== undefined) {
    return [{ section: 'wiring', subject: 'survey', status: 'unknown', text: problem, read: survey.at }];
  }
  return [...sideLines(facts), ...serviceLines(facts), ...floatingIpLines(facts), ...networkLines(facts)];
}

/** Without Contrail: what was written down when it was wired. */
function recordedLines(facts: TraceFacts): Draft[] {
  return facts.wiring.map(({ engineId, address, portId, mode }) => ({
    section: 'wiring',
    subject: portId === null ? subject.engine(engineId) : subject.port(portId),
    text: `${address} is answered for by engine ${nameOf(facts, engineId)}${portId === null ? '' : ` on port ${portId}`} (${mode})`,
    read: 'database',
  }));
}

function sideLines(facts: TraceFacts): Draft[] {
  return vipSides(facts).map(({ engine, portId, port }) => ({
    section: 'wiring',
    subject: subject.port(portId),
    status: port ? undefined : ('wrong' as const),
    text: port
      ? `engine ${engine.name}: port ${portId} on ${port.host ?? 'no host'}, ${port.addresses.join(', ') || 'no address'}; ${describePort(port)}`
      : `engine ${engine.name}: port ${portId} is not there`,
    read: 'VNC, virtual-machine-interface',
  }));
}

function describePort({ pairs, healthChecks, bgpRouters: [router] }: SurveyedPort): string {
  const checks = healthChecks.map(({ monitor, enabled }) => `${monitor}${enabled ? '' : ' (disabled)'}`);
  const parts = [
    pairs.length > 0 ? `pairs ${pairs.map(({ prefix, mode }) => `${prefix} ${mode}`).join(', ')}` : 'no pairs',
    checks.length > 0 ? `health check ${checks.join(', ')}` : 'no health check',
    ...(router ? [`bgp-router ${router.address ?? '?'}, translated to port ${router.sourcePort ?? '?'}`] : []),
  ];
  return parts.join('; ');
}

function serviceLines({ survey }: TraceFacts): Draft[] {
  return (contentOf(survey)?.bgpServices ?? []).map((service) => ({
    section: 'wiring',
    subject: subject.bgpService(service.id),
    text: `BGP as a Service ${service.name}: AS ${service.autonomousSystem ?? '(none)'}, ${service.hasSecret ? 'with a password' : 'no password'}, ${service.portIds.length} ports`,
    read: 'VNC, bgp-as-a-service',
  }));
}

function floatingIpLines(facts: TraceFacts): Draft[] {
  return floatingIpsOf(facts).map((it) => {
    const engines = vipSides(facts).filter(({ portId }) => it.portIds.includes(portId));
    const network = networkIn(facts, it.networkId)?.name ?? '?';
    const to = listed(engines.map(({ engine }) => engine.name)) || 'no engine';
    return {
      section: 'wiring',
      subject: subject.floatingIp(it.id),
      text: `floating IP ${it.address ?? it.id} of network ${network} -> ${it.fixedAddress ?? 'own addresses'} on ${to}`,
      read: 'VNC, floating-ip',
    };
  });
}

function networkLines(facts: TraceFacts): Draft[] {
  const network = networkIn(facts, facts.tree.vip.networkId);
  if (!network) return [];
  const subnets = network.subnets.map(
    ({ prefix, gateway, dnsServer }) => `${prefix} gateway ${gateway ?? 'none'}, second ${dnsServer ?? 'none'}`,
  );
  return [
    {
      section: 'wiring',
      subject: subject.network(network.id),
      text: `VIP network ${network.name}: ${subnets.join('; ')}`,
      read: 'VNC, virtual-network',
    },
  ];
}

export function sessionLines(facts: TraceFacts): Draft[] {
  // Where the VIP is not announced, they are those of others on the same engines.
  const down: Draft['status'] = facts.tree.vipMode === 'bgp' ? 'wrong' : 'info';
  return facts.sessions.map(({ engineId, peerAddress, established, reason, announced }) => ({
    section: 'BGP sessions',
    subject: subject.session(engineId, peerAddress),
    status: established ? undefined : down,
    text: `engine ${nameOf(facts, engineId)} with ${peerAddress}: ${established ? 'established' : `down, ${reason ?? 'no reason is known'}`}; announces ${announced.join(', ') || 'nothing'}`,
    read: 'database, as the engine told last',
  }));
}
