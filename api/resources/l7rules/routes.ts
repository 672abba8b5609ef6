import type { Schemas } from '../../openapi/schemas';
import { authorize } from '../../policy/authorize';
import { callerOf, type Handlers, type ResourceDeps } from '../deps';
import { authorizeObject, listBelowHandler, type ParentKind, param, parentOwner, showHandler } from '../reading';
import { createL7Rule, deleteL7Rule, updateL7Rule } from './commands';
import { L7_RULE, showL7Rule } from './view';

type Ids = 'listL7Rules' | 'createL7Rule' | 'showL7Rule' | 'updateL7Rule' | 'deleteL7Rule';

const POLICY: ParentKind = { param: 'l7policy_id', column: 'l7policy_id', table: 'l7policy', title: 'L7Policy' };

export function l7RuleRoutes(deps: ResourceDeps): Handlers<Ids> {
  const before = async (request: Parameters<typeof param>[0]): Promise<void> => {
    await parentOwner(deps, POLICY, request);
  };
  return {
    listL7Rules: listBelowHandler(deps, L7_RULE, POLICY),
    showL7Rule: showHandler(deps, L7_RULE, POLICY),
    createL7Rule: {
      before,
      handle: async (request) => {
        const { rule: body } = request.body as { rule: Schemas['L7RuleCreate'] };
        const projectId = await parentOwner(deps, POLICY, request);
        authorize(deps.policy, request.identity, 'l7rule:post', { projectId });
        const input = { policyId: param(request, POLICY.param), body };
        return { status: 201, body: { rule: await createL7Rule(deps.commands, callerOf(request), input, showL7Rule) } };
      },
    },
    updateL7Rule: {
      before,
      handle: async (request) => {
        const { rule: body } = request.body as { rule: Schemas['L7RuleUpdate'] };
        const id = await authorizeObject(deps, L7_RULE, { request, action: 'put', parent: POLICY });
        const input = { policyId: param(request, POLICY.param), id, body };
        return { status: 200, body: { rule: await updateL7Rule(deps.commands, callerOf(request), input, showL7Rule) } };
      },
    },
    deleteL7Rule: {
      before,
      handle: async (request) => {
        const id = await authorizeObject(deps, L7_RULE, { request, action: 'delete', parent: POLICY });
        await deleteL7Rule(deps.commands, callerOf(request), { policyId: param(request, POLICY.param), id });
        return { status: 204 };
      },
    },
  };
}
