import type { QuotaKind } from '../rows';
import { integer, type ReadModel, text } from './model';

/** Limits of a project, null where the default holds. */
export type QuotaRead = { project_id: string } & Record<QuotaKind, number | null>;

export const quotas: ReadModel = {
  from: 'quotas o',
  key: 'project_id',
  columns: () => [
    'o.project_id',
    'o.load_balancer',
    'o.listener',
    'o.pool',
    'o.member',
    'o.health_monitor',
    'o.l7policy',
    'o.l7rule',
  ],
  attributes: {
    project_id: text('o.project_id'),
    loadbalancer: integer('o.load_balancer'),
    load_balancer: integer('o.load_balancer'),
    listener: integer('o.listener'),
    member: integer('o.member'),
    pool: integer('o.pool'),
    healthmonitor: integer('o.health_monitor'),
    health_monitor: integer('o.health_monitor'),
    l7policy: integer('o.l7policy'),
    l7rule: integer('o.l7rule'),
  },
};
