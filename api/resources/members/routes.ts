import type { Handler } from '../../exchange';
import { isTrue } from '../../listing/filters';
import type { Schemas } from '../../openapi/schemas';
import { authorize } from '../../policy/authorize';
import { callerOf, type Handlers, type ResourceDeps } from '../deps';
import { authorizeObject, listBelowHandler, type ParentKind, param, parentOwner, showHandler } from '../reading';
import { createMember, deleteMember, replaceMembers, updateMember } from './commands';
import { MEMBER, showMember } from './view';

type Ids = 'listMembers' | 'createMember' | 'showMember' | 'updateMember' | 'deleteMember' | 'replaceMembers';

const POOL: ParentKind = { param: 'pool_id', column: 'pool_id', table: 'pool', title: 'Pool' };

export function memberRoutes(deps: ResourceDeps): Handlers<Ids> {
  return {
    listMembers: listBelowHandler(deps, MEMBER, POOL),
    showMember: showHandler(deps, MEMBER, POOL),
    replaceMembers: batchHandler(deps),
    createMember: {
      before: poolCheck(deps),
      handle: async (request) => {
        const { member: body } = request.body as { member: Schemas['MemberCreate'] };
        authorize(deps.policy, request.identity, 'member:post', { projectId: await parentOwner(deps, POOL, request) });
        const input = { poolId: param(request, POOL.param), body };
        return {
          status: 201,
          body: { member: await createMember(deps.commands, callerOf(request), input, showMember) },
        };
      },
    },
    updateMember: {
      before: poolCheck(deps),
      handle: async (request) => {
        const { member: body } = request.body as { member: Schemas['MemberUpdate'] };
        const id = await authorizeObject(deps, MEMBER, { request, action: 'put', parent: POOL });
        const input = { poolId: param(request, POOL.param), id, body };
        return {
          status: 200,
          body: { member: await updateMember(deps.commands, callerOf(request), input, showMember) },
        };
      },
    },
    deleteMember: {
      before: poolCheck(deps),
      handle: async (request) => {
        const id = await authorizeObject(deps, MEMBER, { request, action: 'delete', parent: POOL });
        await deleteMember(deps.commands, callerOf(request), { poolId: param(request, POOL.param), id });
        return { status: 204 };
      },
    },
  };
}

function poolCheck(deps: ResourceDeps): NonNullable<Handler['before']> {
  return async (request) => {
    await parentOwner(deps, POOL, request);
  };
}

function batchHandler(deps: ResourceDeps): Handler {
  return {
    before: poolCheck(deps),
    queryArguments: ['additive_only'],
    handle: async (request) => {
      const { members } = request.body as { members: Schemas['MemberCreate'][] };
      const additiveOnly = isTrue(request.query.get('additive_only') ?? 'false');
      const target = { projectId: await parentOwner(deps, POOL, request) };
      authorize(deps.policy, request.identity, 'member:post', target);
      authorize(deps.policy, request.identity, 'member:put', target);
      if (!additiveOnly) authorize(deps.policy, request.identity, 'member:delete', target);
      const input = { poolId: param(request, POOL.param), members, additiveOnly };
      await replaceMembers(deps.commands, callerOf(request), input);
      return { status: 202 };
    },
  };
}
