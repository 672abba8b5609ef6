import { z } from 'zod';
import type { Answer, OpenstackService } from '../../openstack/service';
import { unavailable } from '../../openstack/service';
import { NeutronError } from '../model/errors';

const Refusal = z.object({
  NeutronError: z.union([
    z.object({ type: z.string().default(''), message: z.string().default('') }),
    z.string().transform((message) => ({ type: '', message })),
  ]),
});

/** What Neutron refuses, in its words; what stands in front of it refuses without any. */
export function toNeutronError({ status, body }: Answer): NeutronError {
  const refusal = Refusal.safeParse(body).data?.NeutronError;
  return new NeutronError(status, refusal?.type ?? '', refusal?.message || `Neutron answered ${status}.`);
}

/** The body of an answer, read. @throws UnavailableError when it is something else */
export function readIn<T>(body: unknown, schema: z.ZodType<T>): T {
  const read = schema.safeParse(body);
  if (!read.success) throw unavailable('Neutron', read.error);
  return read.data;
}

/** Calls of one Neutron. */
export interface Ask {
  /** The answer, whatever it is. */
  any(call: Parameters<OpenstackService['call']>[0]): Promise<Answer>;
  /** The body of an answer that is no refusal. @throws NeutronError */
  ok(call: Parameters<OpenstackService['call']>[0]): Promise<unknown>;
}

/** Calls of the Neutron behind the service. */
export function createAsk(service: OpenstackService): Ask {
  return {
    any: (call) => service.call(call),
    ok: async (call) => accepted(await service.call(call)).body,
  };
}

/** The answer, unless it is a refusal. @throws NeutronError */
export function accepted(answer: Answer): Answer {
  if (answer.status >= 400) throw toNeutronError(answer);
  return answer;
}
