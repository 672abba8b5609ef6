import { NotFoundError } from '../../../domain/errors';
import type { ComputeDriver } from '../port';
import { type Ask, accepted, readIn } from './answers';
import { NovaError } from './errors';
import { segment } from './paths';
import type { NovaSettings } from './settings';
import { InterfacesView } from './views';

/** Milliseconds that Nova is listened to: it answers when the host has plugged the port in, which may take minutes, and goes on. */
const ATTACH_TIMEOUT = 15_000;

/** The ports of servers. */
export function createInterfaces(
  ask: Ask,
  { attachTimeout: timeout = ATTACH_TIMEOUT }: Pick<NovaSettings, 'attachTimeout'> = {},
): Required<Pick<ComputeDriver, 'listServerPorts' | 'attachPort' | 'detachPort'>> {
  const list = async (serverId: string): Promise<string[]> => {
    const answer = await ask.any({ method: 'GET', path: pathOf(serverId) });
    if (answer.status === 404) throw new NotFoundError('Server', serverId);
    return readIn(accepted(answer).body, InterfacesView).interfaceAttachments.map(({ port_id }) => port_id);
  };
  return {
    listServerPorts: list,
    async attachPort(serverId, portId) {
      // A call that was lost may have done it: Nova would call the port in use.
      if ((await list(serverId)).includes(portId)) return;
      const body = { interfaceAttachment: { port_id: portId } };
      const call = { method: 'POST', path: pathOf(serverId), body, timeout } as const;
      // A port that its network cannot bind is told of by 500: it says nothing of Nova.
      const answer = await ask.any({ ...call, refusesBy500: true, goesOn: true });
      if (answer.status === 504) throw new NovaError(504, 'timeout', `Nova has not plugged port ${portId} in yet.`);
      accepted(answer);
    },
    async detachPort(serverId, portId) {
      const answer = await ask.any({ method: 'DELETE', path: `${pathOf(serverId)}/${segment(portId)}` });
      if (answer.status !== 404) accepted(answer);
    },
  };
}

function pathOf(serverId: string): string {
  return `/servers/${segment(serverId)}/os-interface`;
}
