import type { BgpSession } from '../../db/bgpSessions';
import type { SurveyedBgpService } from '../../domain/survey';
import { contentOf, type TraceFacts } from '../facts';
import type { Fault } from '../fault';
import {
  hostPrefix,
  isDead,
  isOffNetwork,
  nameOf,
  portLabel,
  subject,
  tellers,
  type VipSide,
  VNC,
  vipSides,
  vipsOf,
} from '../lookup';

/** Sessions of BGP as a Service, from what they are configured by to what they carry. */

const OBJECT = `${VNC}, bgp-as-a-service`;

function isAnnounced({ tree }: TraceFacts): boolean {
  return tree.vipMode === 'bgp';
}

interface Served {
  readonly side: VipSide;
  /** Our own id of the service. */
  readonly serviceId: string;
  /** As Contrail has it; undefined: it has not. */
  readonly service: SurveyedBgpService | undefined;
}

/** Ports that are to have sessions; none where Contrail was not read. */
function served(facts: TraceFacts): readonly Served[] {
  const survey = contentOf(facts.survey);
  if (!survey || !isAnnounced(facts)) return [];
  return vipSides(facts).flatMap((side) => {
    const { bgpServiceId } = side.vnic;
    if (bgpServiceId === null) return [];
    return [{ side, serviceId: bgpServiceId, service: survey.bgpServices.find(({ id }) => id === bgpServiceId) }];
  });
}

/** Once for each service. */
function services(facts: TraceFacts): readonly Served[] {
  const all = served(facts);
  return all.filter(({ serviceId }, index) => all.findIndex((it) => it.serviceId === serviceId) === index);
}

const serviceGone: Fault = {
  name: 'bgpaas-gone',
  find: (facts) =>
    services(facts)
      .filter(({ service }) => service === undefined)
      .map(({ serviceId }) => ({
        subject: subject.bgpService(serviceId),
        what: `the BGP as a Service ${serviceId} of the VIP's network is not there: no engine has a session`,
        read: OBJECT,
        cause: 'somebody has deleted it',
        cure: 'an audit makes it again, with its ports',
      })),
};

const ibgp: Fault = {
  name: 'bgp-ibgp',
  find: (facts) => {
    const globalAs = contentOf(facts.survey)?.globals.autonomousSystem;
    return services(facts).flatMap(({ service, serviceId }) => {
      const local = service?.localAutonomousSystem || globalAs;
      if (!service || service.autonomousSystem === null || service.autonomousSystem !== local) return [];
      return [
        {
          subject: subject.bgpService(serviceId),
          what: `the sessions of BGP as a Service ${service.name} are within one AS, ${local}: control-nodes ignore them and say so nowhere`,
          read: `${OBJECT} autonomous_system; global-system-config`,
          cause: "iBGP is not supported: the engines' AS has to be another one than the control-nodes'",
          cure: 'set [contrail] bgp_local_as to another AS; an audit puts the object right',
        },
      ];
    });
  },
};

const wrongAs: Fault = {
  name: 'bgp-wrong-as',
  find: (facts) =>
    services(facts).flatMap(({ service, serviceId }) => {
      const own = facts.bgpServices.find(({ id }) => id === serviceId);
      if (!service || !own || service.autonomousSystem === own.localAs) return [];
      return [
        {
          subject: subject.bgpService(serviceId),
          what: `BGP as a Service ${service.name} expects AS ${service.autonomousSystem ?? '(none)'}, the engines say ${own.localAs}`,
          read: `${OBJECT} autonomous_system`,
          cause: 'somebody has changed it: control-nodes refuse the OPEN with "Bad peer AS"',
          cure: 'an audit puts it right',
        },
      ];
    }),
};

const adminDown: Fault = {
  name: 'bgpaas-admin-down',
  find: (facts) =>
    services(facts)
      .filter(({ service }) => service?.adminDown === true)
      .map(({ service, serviceId }) => ({
        subject: subject.bgpService(serviceId),
        what: `BGP as a Service ${service?.name} is administratively down`,
        read: `${OBJECT} session attributes admin_down`,
        cause: 'somebody has switched it off',
        cure: 'set admin_down to false',
      })),
};

/** A session with a secret on one side alone never comes up: what is not signed is dropped. */
const password: Fault = {
  name: 'bgp-password',
  find: (facts) =>
    services(facts).flatMap(({ service, serviceId }) => {
      const own = facts.bgpServices.find(({ id }) => id === serviceId);
      if (!service || !own || service.hasSecret === (own.md5Secret !== null)) return [];
      const [one, other] = service.hasSecret
        ? ['Contrail has', 'engines have none']
        : ['engines have', 'Contrail has none'];
      return [
        {
          subject: subject.bgpService(serviceId),
          what: `for the sessions of BGP as a Service ${service.name} ${one} a password (MD5), and ${other}: they stay down`,
          read: `${OBJECT} session attributes auth_data`,
          cause: 'somebody has set or cleared the password on one side',
          cure: 'make both alike: [contrail] bgp_md5_groups says which groups have one; an audit writes it',
        },
      ];
    }),
};

const memberMissing: Fault = {
  name: 'bgpaas-without-port',
  find: (facts) =>
    served(facts)
      .filter(({ service, side }) => service !== undefined && !service.portIds.includes(side.portId))
      .map(({ service, side }) => ({
        subject: subject.port(side.portId),
        what: `${portLabel(side)} is not in BGP as a Service ${service?.name}: it can have no session`,
        read: `${OBJECT} virtual_machine_interface_refs`,
        cause: 'it was taken out, or nobody added it when the engine was: the engine announces to nobody',
        cure: 'an audit puts it in',
      })),
};

/** Ports of a service for which nobody has made a router. */
function withoutRouter(facts: TraceFacts): readonly VipSide[] {
  return served(facts)
    .filter(({ service, side }) => service?.portIds.includes(side.portId))
    .filter(({ side }) => side.port !== undefined && side.port.bgpRouters.length === 0)
    .map(({ side }) => side);
}

function isPoolEmpty({ survey }: TraceFacts): boolean {
  const globals = contentOf(survey)?.globals;
  return globals !== undefined && globals.sessionsTaken >= globals.sessions;
}

const ROUTERS = `${VNC}, virtual-machine-interface bgp_router_refs`;

/** That the pool is used up is told by nobody else than the schema transformer's log. */
const noSessionFree: Fault = {
  name: 'bgp-no-session-free',
  find: (facts) => {
    const globals = contentOf(facts.survey)?.globals;
    if (!globals || !isPoolEmpty(facts)) return [];
    return withoutRouter(facts).map((side) => ({
      subject: subject.port(side.portId),
      what: `${portLabel(side)} has no bgp-router, and no session is free: ${globals.sessionsTaken} of ${globals.sessions} are taken`,
      read: `${ROUTERS}; global-system-config bgpaas_parameters`,
      cause: 'the pool of BGP as a Service is used up in the whole cloud',
      cure: 'widen bgpaas_parameters, which resets all sessions, or free some',
    }));
  },
};

const routerMissing: Fault = {
  name: 'bgp-router-missing',
  find: (facts) =>
    isPoolEmpty(facts)
      ? []
      : withoutRouter(facts).map((side) => ({
          subject: subject.port(side.portId),
          what: `${portLabel(side)} is in BGP as a Service, and has no bgp-router`,
          read: ROUTERS,
          cause:
            'the schema transformer has not made it: it is stopped or stuck, or the port joined too soon after it was made',
          cure: 'look at contrail-schema on the config nodes; then take the port out of the service and put it in again, which an audit does',
        })),
};

function wantedSessions(facts: TraceFacts): readonly BgpSession[] {
  const ids = new Set(served(facts).map(({ side }) => side.engine.id));
  return facts.sessions.filter(({ engineId }) => ids.has(engineId));
}

const speakerDead: Fault = {
  name: 'bgp-speaker-dead',
  find: (facts) =>
    !isAnnounced(facts)
      ? []
      : tellers(facts)
          .filter(
            ({ facts: { bgp, namespace } }) => namespace?.exists === true && bgp !== null && bgp.peers.length === 0,
          )
          .map(({ engine, at }) => ({
            subject: subject.inspection(engine.id),
            what: `the BGP speaker (BIRD) of engine ${engine.name} does not tell of any session`,
            read: at,
            cause: 'it does not run, or is just starting',
            cure: `see the events of engine ${engine.name}; bird has to be installed there`,
          })),
};

const sessionsDown: Fault = {
  name: 'bgp-down',
  find: (facts) => {
    const sessions = wantedSessions(facts);
    return sessions
      .filter(
        ({ established, engineId }) =>
          !established && sessions.every((it) => it.engineId !== engineId || !it.established),
      )
      .map((session) => ({
        subject: subject.session(session.engineId, session.peerAddress),
        what: `engine ${nameOf(facts, session.engineId)} has no session with ${session.peerAddress}, nor with any other control-node: ${session.reason ?? 'no reason is known'}`,
        read: 'database, as the engine told last',
        cause: causeOf(session.reason),
        cure: 'compare AS, password and BFD on both sides; look at the control-node with /Snh_BgpNeighborReq',
      }));
  },
};

/** One of two is enough to announce, and one failure away from nothing. */
const sessionLost: Fault = {
  name: 'bgp-half-down',
  find: (facts) => {
    const sessions = wantedSessions(facts);
    return sessions
      .filter(
        ({ established, engineId }) =>
          !established && sessions.some((it) => it.engineId === engineId && it.established),
      )
      .map((session) => ({
        subject: subject.session(session.engineId, session.peerAddress),
        what: `engine ${nameOf(facts, session.engineId)} has lost its session with ${session.peerAddress}: ${session.reason ?? 'no reason is known'}`,
        read: 'database, as the engine told last',
        cause: `one control-node is away or unreachable; the VIP lives on by the other one`,
        cure: 'look at that control-node, and at the way to it',
      }));
  },
};

function causeOf(reason: string | null): string {
  if (reason === null) return 'the control-nodes do not answer';
  if (/peer AS/i.test(reason)) return 'the AS of the engines is not the one the service expects';
  if (/refused|reset|unreachable|timed out|hold/i.test(reason))
    return 'control-nodes are away, do not know the session, or drop it for its password';
  return 'what the reason says';
}

const notAnnounced: Fault = {
  name: 'bgp-not-announced',
  find: (facts) => {
    if (!isAnnounced(facts) || isOffNetwork(facts.tree) || isDead(facts)) return [];
    return tellers(facts).flatMap(({ engine, at, facts: { bgp } }) => {
      if (bgp === null || !bgp.peers.some(({ state }) => state === 'established')) return [];
      const missing = vipsOf(facts.tree)
        .map(({ address }) => hostPrefix(address))
        .filter((prefix) => !bgp.announced.includes(prefix));
      if (missing.length === 0) return [];
      return [
        {
          subject: subject.inspection(engine.id),
          what: `engine ${engine.name} has sessions, and does not announce ${missing.join(', ')}`,
          read: at,
          cause: 'it is about to, is on its way off the load balancer, or does not serve it',
          cure: 'look again in a moment',
        },
      ];
    });
  },
};

export const BGP_CONFIGURATION_FAULTS: readonly Fault[] = [
  ...[serviceGone, ibgp, wrongAs, adminDown, password, memberMissing, noSessionFree, routerMissing],
];
export const BGP_SESSION_FAULTS: readonly Fault[] = [speakerDead, sessionsDown, notAnnounced, sessionLost];
