import { readFileSync } from 'node:fs';
import type { Logger } from 'pino';
import { Agent, type Dispatcher } from 'undici';
import { ServiceError, UnavailableError } from '../../domain/errors';
import type { KeystoneSession } from '../keystone/http/session';
import { CALLS, createPolicy, reasonOf } from './manners';
import { createPace, type Pace } from './pace';
import { type Answer, type Call, Outage, sendOnce, type Target } from './send';

export type { Answer, Call } from './send';

/** One API of an OpenStack cloud, called in the name of this service, with the manners that go with it. */
export interface OpenstackService {
  /**
   * One call. Reads, changes that say the same twice, and deletions are repeated when their connection breaks; a POST is
   * not, unless the service says that it did nothing. What the service refuses is an answer, not an error.
   * @throws UnavailableError when it does not answer, tells of trouble, or has not answered lately; NoRoleError for a call
   * in a project that this service is not let into
   */
  call(call: Call): Promise<Answer>;
  close(): Promise<void>;
}

/** A login in one project. */
type ProjectSession = Pick<KeystoneSession, 'token' | 'endpoint'>;

export interface OpenstackServiceDeps {
  /** What it is called in texts: "Neutron". */
  readonly name: string;
  /** Types in the catalogue, the preferred one first. */
  readonly types: readonly string[];
  /** Without `inProject` all calls are made in one project. */
  readonly session: ProjectSession & { readonly inProject?: (projectId: string) => ProjectSession };
  readonly options: EndpointOptions;
  readonly log: Logger;
  /** 50 calls a second, by default, and 100 at once. */
  readonly pace?: Pace;
}

/** The options of `[neutron]`, `[nova]` and `[glance]` that say where the service is. */
export interface EndpointOptions {
  readonly region_name: string | null;
  /** "publicURL", "internalURL", "adminURL", or the same without "URL". */
  readonly endpoint_type: string;
  /** Goes before the catalogue. */
  readonly endpoint_override?: string | null;
  readonly ca_certificates_file: string | null;
  readonly insecure: boolean;
  /** Milliseconds a call may take; 30,000 by default. */
  readonly timeout?: number;
}

const PACE: Pace = { perSecond: 50, burst: 100 };
const TIMEOUT = 30_000;
const CONNECT_TIMEOUT = 5_000;
const REPETITIONS = 3;

/** Opens no connection before the first call. @throws what the file system says of the CA file */
export function openOpenstackService(deps: OpenstackServiceDeps): OpenstackService {
  const { name, options } = deps;
  const dispatcher = new Agent({
    connections: CALLS,
    connect: {
      timeout: CONNECT_TIMEOUT,
      rejectUnauthorized: !options.insecure,
      ...(options.ca_certificates_file === null ? {} : { ca: readFileSync(options.ca_certificates_file) }),
    },
  });
  const policy = createPolicy({ name, log: deps.log, repetitions: REPETITIONS });
  const turn = createPace(deps.pace ?? PACE);
  const sendInTurn = async (target: Target, call: Call): Promise<Answer> => {
    await turn();
    return sendOnce(target, call);
  };
  const send = async (call: Call, { endpoint }: ProjectSession, token: string): Promise<Answer> => {
    const address = await findAddress(deps, endpoint);
    const target = { address, dispatcher, token, timeout: options.timeout ?? TIMEOUT };
    return policy.execute(() => sendInTurn(target, call));
  };
  return {
    async call(call) {
      try {
        const own = sessionFor(call, deps);
        const token = await own.token();
        const answer = await send(call, own, token);
        if (answer.status !== 401) return answer;
        const again = await send(call, own, await own.token(token));
        if (again.status === 401) throw new Outage(`${name} refuses the token of this service`, false);
        return again;
      } catch (error) {
        throw unavailable(name, error);
      }
    },
    close: () => (dispatcher as Dispatcher).close(),
  };
}

/** Addresses in a catalogue may name the project. */
function sessionFor({ projectId }: Call, { name, session }: OpenstackServiceDeps): ProjectSession {
  if (projectId === undefined) return session;
  if (!session.inProject) throw new Outage(`${name} is asked in one project alone here`, false);
  return session.inProject(projectId);
}

async function findAddress(
  { name, types, options }: OpenstackServiceDeps,
  endpoint: ProjectSession['endpoint'],
): Promise<string> {
  const { endpoint_override: fixed, endpoint_type, region_name: region } = options;
  if (fixed) return fixed.replace(/\/+$/, '');
  for (const type of types) {
    const found = await endpoint({ type, interface: endpoint_type, region });
    if (found !== undefined) return found.replace(/\/+$/, '');
  }
  throw new Outage(
    `${name} is not in the catalogue (${types.join(' or ')}, ${endpoint_type}, ${region ?? 'any region'})`,
    false,
  );
}

/** What callers see of any trouble with a service; the cause is for the log. */
export function unavailable(name: string, cause: unknown): ServiceError {
  if (cause instanceof ServiceError) return cause;
  return new UnavailableError(`The ${name} service is temporarily unavailable.`, { cause: reasonOf(name, cause) });
}
