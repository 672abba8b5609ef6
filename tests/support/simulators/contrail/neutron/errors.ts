import { Fault } from '../fault';
import type { Members } from '../json';

/** A refusal of the neutron backend: always 400, an object with the name of the exception. */
export class NeutronFault extends Error {
  readonly body: Members;

  constructor(exception: string, about: Members) {
    super(exception);
    this.body = { exception, ...about };
  }
}

/** Runs a step, with refusals of the configuration API turned into something of Neutron's. */
export function turning<T>(step: () => T, turn: (fault: Fault) => NeutronFault): T {
  try {
    return step();
  } catch (error) {
    throw error instanceof Fault ? turn(error) : error;
  }
}

/** What stays of a refusal that nothing was made of. */
export function usualFault({ status, message }: Fault): NeutronFault {
  if (status === 404) return new NeutronFault('NotFound', { msg: message });
  return new NeutronFault(status === 409 ? 'Conflict' : 'BadRequest', { msg: message });
}

/** As the backend's own client puts it. */
export function unknownId(type: string, uuid: string): NeutronFault {
  const options = "{'exclude_back_refs': True, 'exclude_children': True, 'exclude_hrefs': True}";
  const text = `Error: oper 2 url /${type}/${uuid} body ${options} response Unknown id: ${uuid}`;
  return new NeutronFault('NotFound', { msg: `Unknown id: ${text}` });
}
