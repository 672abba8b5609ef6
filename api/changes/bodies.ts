import type { components } from '../openapi/schema.gen';

/** Request bodies as the commands take them: types checked and values coerced at the edge, null possible everywhere. */

type Schemas = components['schemas'];

export type LoadBalancerCreate = Schemas['LoadBalancerCreate'];
export type LoadBalancerUpdate = Schemas['LoadBalancerUpdate'];
export type AdditionalVip = Schemas['AdditionalVip'];
export type ListenerCreate = Schemas['ListenerCreate'];
export type ListenerUpdate = Schemas['ListenerUpdate'];
export type ListenerGraph = Schemas['ListenerGraph'];
export type PoolCreate = Schemas['PoolCreate'];
export type PoolUpdate = Schemas['PoolUpdate'];
export type PoolGraph = Schemas['PoolGraph'];
export type MemberCreate = Schemas['MemberCreate'];
export type MemberUpdate = Schemas['MemberUpdate'];
export type MemberGraph = Schemas['MemberGraph'];
export type HealthMonitorCreate = Schemas['HealthMonitorCreate'];
export type HealthMonitorUpdate = Schemas['HealthMonitorUpdate'];
export type HealthMonitorGraph = Schemas['HealthMonitorGraph'];
export type L7PolicyCreate = Schemas['L7PolicyCreate'];
export type L7PolicyUpdate = Schemas['L7PolicyUpdate'];
export type L7PolicyGraph = Schemas['L7PolicyGraph'];
export type L7RuleCreate = Schemas['L7RuleCreate'];
export type L7RuleUpdate = Schemas['L7RuleUpdate'];
export type L7RuleGraph = Schemas['L7RuleGraph'];

/** A field that may be absent or null. */
export type Given<T> = T | null | undefined;

/** `admin_state_up`, `backup` and their like in a POST: absent is the default, null is false (Octavia's rule). */
export function flagOr(value: Given<boolean>, fallback: boolean): boolean {
  return value === undefined ? fallback : value === true;
}
