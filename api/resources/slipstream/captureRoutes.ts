import type { ApiRequest } from '../../exchange';
import type { Schemas } from '../../openapi/schemas';
import { authorize } from '../../policy/authorize';
import { callerOf, type Handlers, type ResourceDeps } from '../deps';
import { param } from '../reading';
import { createCapture, downloadCapture, endCapture, listCapturesOf, showCapture } from './captures';

export type CaptureIds = 'listCaptures' | 'createCapture' | 'showCapture' | 'deleteCapture' | 'downloadCapture';

/** What a capture's file is called on the wire. */
const PCAP = 'application/vnd.tcpdump.pcap';

/** Captures of packets. */
export function captureRoutes(deps: ResourceDeps): Handlers<CaptureIds> {
  const allow = ({ identity }: ApiRequest, action: 'get_all' | 'get_one' | 'post' | 'delete'): void =>
    authorize(deps.policy, identity, `slipstream:capture:${action}`, { projectId: null });
  return {
    listCaptures: {
      handle: async (request) => {
        allow(request, 'get_all');
        return { status: 200, body: { captures: await listCapturesOf(deps.db, param(request, 'loadbalancer_id')) } };
      },
    },
    createCapture: {
      handle: async (request) => {
        allow(request, 'post');
        const { capture: body } = request.body as { capture: Schemas['CaptureCreate'] };
        const asked = { loadBalancerId: param(request, 'loadbalancer_id'), body };
        return { status: 201, body: { capture: await createCapture(deps.commands, callerOf(request), asked) } };
      },
    },
    showCapture: {
      handle: async (request) => {
        allow(request, 'get_one');
        return { status: 200, body: { capture: await showCapture(deps.db, param(request, 'capture_id')) } };
      },
    },
    deleteCapture: {
      handle: async (request) => {
        allow(request, 'delete');
        await endCapture(deps.commands, callerOf(request), param(request, 'capture_id'));
        return { status: 204 };
      },
    },
    downloadCapture: {
      handle: async (request) => {
        allow(request, 'get_one');
        const content = await downloadCapture(deps.commands, callerOf(request), param(request, 'capture_id'));
        return { status: 200, file: { type: PCAP, content } };
      },
    },
  };
}
