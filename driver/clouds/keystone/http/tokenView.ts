import { z } from 'zod';
import type { ValidToken } from '../port';

const Named = z.object({ id: z.string(), name: z.string().optional() });

/** What is read of the `token` of an answer; everything else (bind, audit ids, methods, ...) says nothing here. */
const TokenView = z.object({
  token: z.object({
    user: Named,
    expires_at: z.iso.datetime({ offset: true }).transform((text) => new Date(text)),
    project: Named.nullish(),
    domain: Named.nullish(),
    system: z.object({ all: z.boolean().optional() }).nullish(),
    roles: z.array(z.object({ name: z.string() })).nullish(),
    application_credential: z.object({ access_rules: z.array(z.unknown()).nullish() }).nullish(),
  }),
});

const CatalogView = z.object({
  token: z.object({
    catalog: z
      .array(
        z.object({
          type: z.string(),
          endpoints: z.array(
            z.object({
              interface: z.string(),
              region: z.string().nullish(),
              region_id: z.string().nullish(),
              url: z.string(),
            }),
          ),
        }),
      )
      .default([]),
  }),
});

/** The services of a catalogue. */
export type Catalog = z.infer<typeof CatalogView>['token']['catalog'];

/**
 * Who a token makes its bearer, or undefined if it is good for other requests only: access rules of an application
 * credential are not looked at, so that what they restrict is refused (as by a keystonemiddleware without `service_type`).
 * The user of a trust's token is the trustor, or the trustee if nobody is impersonated: Keystone has settled that.
 * @throws ZodError
 */
export function readToken(body: unknown): ValidToken | undefined {
  const { token } = TokenView.parse(body);
  if (token.application_credential?.access_rules) return undefined;
  return {
    identity: {
      userId: token.user.id,
      projectId: token.project?.id ?? null,
      domainId: token.domain?.id ?? null,
      systemScope: token.system?.all ? 'all' : null,
      roles: (token.roles ?? []).map(({ name }) => name.toLowerCase()),
      isAdmin: false,
    },
    expiresAt: token.expires_at,
  };
}

/** @throws ZodError */
export function readCatalog(body: unknown): Catalog {
  return CatalogView.parse(body).token.catalog;
}

/** What Keystone says of a refusal, if it is Keystone who refuses; undefined for a page of something in front of it. */
export function readRefusal(body: unknown): string | undefined {
  const refusal = z.object({ error: z.object({ message: z.string() }) }).safeParse(body);
  return refusal.success ? refusal.data.error.message : undefined;
}
