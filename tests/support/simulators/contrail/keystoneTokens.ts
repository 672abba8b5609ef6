import { z } from 'zod';
import type { Identity, TokenService } from './auth';
import { withoutDashes } from './site';

const Validated = z.object({
  token: z.object({
    user: z.object({ name: z.string() }),
    project: z.object({ id: z.string(), name: z.string() }).optional(),
    roles: z.array(z.object({ name: z.string() })).default([]),
  }),
});
const One = z.object({ project: z.object({ id: z.string(), name: z.string() }) });
const Several = z.object({ projects: z.array(z.object({ id: z.string(), name: z.string() })) });

/** The tokens of a Keystone: `url` with or without `/v3`. A token is asked about with itself. */
export function keystoneTokens(url: string): TokenService {
  const uri = `${url.replace(/\/v3\/?$/, '').replace(/\/$/, '')}/v3`;
  /** Of whoever came last and was let in: it asks for projects in that name. */
  let latest = '';
  const get = async (path: string, headers: Record<string, string>): Promise<unknown> => {
    const answer = await fetch(`${uri}${path}`, { headers });
    return answer.ok ? answer.json() : undefined;
  };
  return {
    uri,
    async identify(token): Promise<Identity | undefined> {
      const found = Validated.safeParse(await get('/auth/tokens', { 'X-Auth-Token': token, 'X-Subject-Token': token }));
      if (!found.success) return undefined;
      const { user, project, roles } = found.data.token;
      latest = token;
      const names = roles.map(({ name }) => name);
      return { user: user.name, project: project?.name ?? '', projectId: project?.id ?? '', roles: names };
    },
    async byId(id) {
      return One.safeParse(await get(`/projects/${withoutDashes(id)}`, { 'X-Auth-Token': latest })).data?.project;
    },
    async byName(name) {
      const body = await get(`/projects?name=${encodeURIComponent(name)}`, { 'X-Auth-Token': latest });
      return Several.safeParse(body).data?.projects.find((project) => project.name === name);
    },
  };
}
