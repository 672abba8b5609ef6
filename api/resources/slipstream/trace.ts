import ipaddr from 'ipaddr.js';
import { NotFoundError, ValidationError } from '../../../driver/domain/errors';
import { collectFacts, type TraceDeps } from '../../../driver/trace/collect/collect';
import type { Flow } from '../../../driver/trace/flow';
import { renderHtml } from '../../../driver/trace/render/html';
import { type Trace, traceOf } from '../../../driver/trace/trace';
import type { ApiRequest, Reply } from '../../exchange';
import type { Schemas } from '../../openapi/schemas';
import { authorize } from '../../policy/authorize';
import type { Handlers, ResourceDeps } from '../deps';
import { param } from '../reading';

const JSON_TYPE = 'application/json';

/** Follows a VIP, for whoever looks into trouble. */
export function traceRoutes({ policy, commands, trace }: ResourceDeps): Handlers<'traceLoadBalancer'> {
  return {
    traceLoadBalancer: {
      handle: async (request) => {
        authorize(policy, request.identity, 'slipstream:trace:get_one', { projectId: null });
        const flow = request.query.get('flow');
        const found = await follow(
          trace,
          param(request, 'loadbalancer_id'),
          flow === null ? undefined : readFlow(flow),
        );
        const takenAt = commands.clock().toISOString();
        return wantsPage(request) ? pageOf(found, takenAt) : bodyOf(found, takenAt);
      },
    },
  };
}

/** By `format`, or else by what the client accepts; a browser likes a page best. */
function wantsPage({ query, prefers }: ApiRequest): boolean {
  const format = query.get('format');
  return format === null ? prefers([JSON_TYPE, 'text/html']) === 'text/html' : format === 'html';
}

async function follow(deps: TraceDeps, id: string, flow: Flow | undefined): Promise<Trace> {
  const facts = await collectFacts(deps, id, flow);
  if (!facts) throw new NotFoundError('Load Balancer', id);
  return traceOf(facts, flow);
}

/** @throws ValidationError */
function readFlow(text: string): Flow {
  const [, source = '', port = ''] = /^\[?([0-9a-fA-F.:]+?)\]?:(\d{1,5})$/.exec(text) ?? [];
  if (!ipaddr.isValid(source) || Number(port) > 65_535) {
    throw new ValidationError(`flow: ${text} is no address:port`);
  }
  return { source, port: Number(port) };
}

function bodyOf({ loadBalancerId, verdict, lines, ...trace }: Trace, takenAt: string): Reply {
  const view: Schemas['TraceView'] = {
    ...trace,
    loadbalancer_id: loadBalancerId,
    taken_at: takenAt,
    vips: [...trace.vips],
    verdict: verdict.map((it) => ({ ...it })),
    lines: lines.map((it) => ({ ...it })),
  };
  return { status: 200, body: { trace: view } };
}

function pageOf(trace: Trace, takenAt: string): Reply {
  return { status: 200, file: { type: 'text/html', content: Buffer.from(renderHtml(trace, takenAt)) } };
}
