import { z } from 'zod';
import type { Answer, Call, OpenstackService } from '../../openstack/service';
import { unavailable } from '../../openstack/service';
import { NovaError } from './errors';

/** Rocky's: tags at create (2.52) and one policy a server group (2.64). Later ones bring nothing that is needed here. */
export const MICROVERSION = '2.64';

const Refusal = z.record(z.string(), z.object({ message: z.string() }));

/** What Nova refuses, in its words; what stands in front of it refuses without any. */
function toNovaError({ status, body }: Answer): NovaError {
  const [type, refusal] = Object.entries(Refusal.safeParse(body).data ?? {})[0] ?? [];
  return new NovaError(status, type ?? '', refusal?.message || `Nova answered ${status}.`);
}

/** The body of an answer, read. @throws UnavailableError when it is something else */
export function readIn<T>(body: unknown, schema: z.ZodType<T>): T {
  const read = schema.safeParse(body);
  if (!read.success) throw unavailable('Nova', read.error);
  return read.data;
}

/** Calls of one Nova, at the pinned microversion. */
export interface Ask {
  /** The answer, whatever it is. */
  any(call: Call): Promise<Answer>;
  /** The body of an answer that is no refusal. @throws NovaError */
  ok(call: Call): Promise<unknown>;
}

export function createAsk(service: OpenstackService): Ask {
  const any = (call: Call) =>
    service.call({ ...call, headers: { ...call.headers, 'OpenStack-API-Version': `compute ${MICROVERSION}` } });
  return { any, ok: async (call) => accepted(await any(call)).body };
}

/** The answer, unless it is a refusal. @throws NovaError */
export function accepted(answer: Answer): Answer {
  if (answer.status >= 400) throw toNovaError(answer);
  return answer;
}
