import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { z } from 'zod';

const port = z.number().int().min(1).max(65_535);

/** What the lab's compute hosts are told, as JSON in one file. */
export const HostsConfig = z.strictObject({
  /** Of an admin: servers and ports of all projects are read. */
  auth: z.strictObject({
    url: z.url(),
    username: z.string(),
    password: z.string(),
    projectName: z.string(),
    userDomainName: z.string().default('Default'),
    projectDomainName: z.string().default('Default'),
    region: z.string().nullable().default(null),
    interface: z.string().default('public'),
    caFile: z.string().nullable().default(null),
  }),
  /** Absolute: disks and config drives of servers, what is running. One of these programs a directory. */
  stateDir: z.string().regex(/^\/(?!run\/)/, 'an absolute path, and not below /run: servers have a /run of their own'),
  /** Of what servers print; in `stateDir` if not given. */
  logDir: z.string().min(1).optional(),
  /** Milliseconds between two looks at the cloud. */
  interval: z.number().int().min(100).default(1000),
  /**
   * Networks of engines' first ports, one for each installation that has engines here: each has the metadata service and, at
   * its gateway's address, controllers.
   */
  management: z
    .array(
      z.strictObject({
        /** Name or id. */
        network: z.string().min(1),
        /** Where engines find the controllers; the subnet's gateway if not given. */
        address: z.ipv4().optional(),
        /** TCP ports of that address, and what on this host's loopback they lead to. */
        forwards: z.array(z.strictObject({ port, to: port })).default([]),
      }),
    )
    .min(1),
  agent: z.strictObject({
    /** `slipstream agent`, by absolute paths; its `--state-dir` and, with a config drive, `--config-drive` come behind it. */
    command: z.array(z.string()).min(1),
    environment: z.record(z.string(), z.string()).default({}),
  }),
});
export type HostsConfig = z.infer<typeof HostsConfig>;

/** @throws ZodError, or what the file system says */
export function readConfig(file: string): HostsConfig {
  return HostsConfig.parse(JSON.parse(readFileSync(file, 'utf8')));
}

export function logDirectory({ stateDir, logDir }: Pick<HostsConfig, 'stateDir' | 'logDir'>): string {
  return logDir ?? join(stateDir, 'log');
}

export type NodeKind = 'vm' | 'rt' | 'ep';

/** Names of network namespaces; those of another state directory never meet them. */
export interface Names {
  /** Holds the bridges. */
  readonly fabric: string;
  /** Of a server (vm), a router (rt), or an endpoint of tests (ep: by its port's id). */
  node(kind: NodeKind, id: string): string;
  /** The node that has this namespace, if it is one of ours. */
  parse(namespace: string): { readonly kind: NodeKind; readonly id: string } | undefined;
}

export function namesOf(stateDir: string): Names {
  const tag = createHash('sha256').update(stateDir).digest('hex').slice(0, 6);
  return {
    fabric: `ss-fabric-${tag}`,
    node: (kind, id) => `ss-${kind}-${tag}-${id}`,
    parse(namespace) {
      const [, kind, of, id] = /^ss-(vm|rt|ep)-([0-9a-f]{6})-(.+)$/.exec(namespace) ?? [];
      return of === tag && kind && id ? { kind: kind as NodeKind, id } : undefined;
    },
  };
}
