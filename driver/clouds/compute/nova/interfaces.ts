import { NotFoundError } from '../../../domain/errors';
import type { ComputeDriver } from '../port';
import { type Ask, accepted, readIn } from './answers';
import { segment } from './paths';
import { InterfacesView } from './views';

/** Milliseconds an attachment may take: Nova answers when the host has plugged the port, and gives up after a minute. */
const ATTACH_TIMEOUT = 75_000;

/** The ports of servers. */
export function createInterfaces(
  ask: Ask,
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
      const call = { method: 'POST', path: pathOf(serverId), body, timeout: ATTACH_TIMEOUT } as const;
      // A port that its network cannot bind is told of by 500: it says nothing of Nova.
      accepted(await ask.any({ ...call, refusesBy500: true }));
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
