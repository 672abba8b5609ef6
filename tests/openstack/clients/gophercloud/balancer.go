package main

import (
	"context"
	"fmt"
	"time"

	"github.com/gophercloud/gophercloud/v2"
	"github.com/gophercloud/gophercloud/v2/openstack/loadbalancer/v2/listeners"
	"github.com/gophercloud/gophercloud/v2/openstack/loadbalancer/v2/loadbalancers"
	"github.com/gophercloud/gophercloud/v2/openstack/loadbalancer/v2/monitors"
	"github.com/gophercloud/gophercloud/v2/openstack/loadbalancer/v2/pools"
)

// site is a load balancer with one of everything.
type site struct {
	client                *gophercloud.ServiceClient
	name                  string
	id, provider          string
	listener, pool, check string
}

// useBalancer makes a load balancer, has its members changed as a whole (openstack_lb_members_v2), finds each of its parts
// as a data source does, and deletes it.
func useBalancer(ctx context.Context, client *gophercloud.ServiceClient, name, subnet string) (report, error) {
	balancer, err := loadbalancers.Create(ctx, client, loadbalancers.CreateOpts{
		Name: name, VipSubnetID: subnet, Tags: []string{"gophercloud", name},
	}).Extract()
	if err != nil {
		return nil, err
	}
	it := &site{client: client, name: name, id: balancer.ID, provider: balancer.Provider}
	found := report{}
	if err := it.build(ctx); err != nil {
		return nil, it.clear(ctx, err)
	}
	if err := it.changeMembers(ctx, found); err != nil {
		return nil, it.clear(ctx, err)
	}
	if err := it.lookUp(ctx, found); err != nil {
		return nil, it.clear(ctx, err)
	}
	return found, it.clear(ctx, nil)
}

func (it *site) build(ctx context.Context) error {
	if err := it.settle(ctx); err != nil {
		return err
	}
	listener, err := listeners.Create(ctx, it.client, listeners.CreateOpts{
		Name: it.name, LoadbalancerID: it.id, Protocol: listeners.ProtocolHTTP, ProtocolPort: 8080,
	}).Extract()
	if err != nil {
		return err
	}
	it.listener = listener.ID
	if err := it.settle(ctx); err != nil {
		return err
	}
	pool, err := pools.Create(ctx, it.client, pools.CreateOpts{
		Name: it.name, ListenerID: listener.ID, Protocol: pools.ProtocolHTTP, LBMethod: pools.LBMethodRoundRobin,
	}).Extract()
	if err != nil {
		return err
	}
	it.pool = pool.ID
	if err := it.settle(ctx); err != nil {
		return err
	}
	check, err := monitors.Create(ctx, it.client, monitors.CreateOpts{
		Name: it.name, PoolID: pool.ID, Type: monitors.TypeHTTP, Delay: 10, Timeout: 5, MaxRetries: 3, URLPath: "/well",
	}).Extract()
	if err != nil {
		return err
	}
	it.check = check.ID
	return it.settle(ctx)
}

// changeMembers sets all members twice and takes them away, each time in one call and with no wait in between but for the
// load balancer to be ACTIVE again, which the resource waits for as well.
func (it *site) changeMembers(ctx context.Context, found report) error {
	steps := []struct {
		step         string
		first, count int
		weight       int
	}{{"members.created", 0, 20, 1}, {"members.changed", 10, 20, 5}, {"members.deleted", 0, 0, 1}, {"members", 0, 3, 1}}
	for _, step := range steps {
		batch := make([]pools.BatchUpdateMemberOpts, 0, step.count)
		for at := step.first; at < step.first+step.count; at++ {
			batch = append(batch, pools.BatchUpdateMemberOpts{
				Address: fmt.Sprintf("10.10.2.%d", 100+at), ProtocolPort: 80, Name: pointer(fmt.Sprintf("%s-%d", it.name, at)),
				Weight: pointer(step.weight),
			})
		}
		if err := pools.BatchUpdateMembers(ctx, it.client, it.pool, batch).ExtractErr(); err != nil {
			return fmt.Errorf("%s: %w", step.step, err)
		}
		if err := it.settle(ctx); err != nil {
			return err
		}
		members, err := it.members(ctx, pools.ListMembersOpts{})
		if err != nil {
			return err
		}
		found[step.step] = members
	}
	return nil
}

func (it *site) members(ctx context.Context, wanted pools.ListMembersOpts) ([]pools.Member, error) {
	pages, err := pools.ListMembers(it.client, it.pool, wanted).AllPages(ctx)
	if err != nil {
		return nil, err
	}
	return pools.ExtractMembers(pages)
}

// lookUp finds each part by what the arguments of its data source filter by.
func (it *site) lookUp(ctx context.Context, found report) error {
	balancerPages, err := loadbalancers.List(it.client, loadbalancers.ListOpts{
		Name: it.name, ProvisioningStatus: "ACTIVE", Provider: it.provider, Tags: []string{"gophercloud", it.name},
	}).AllPages(ctx)
	if err != nil {
		return err
	}
	balancers, err := loadbalancers.ExtractLoadBalancers(balancerPages)
	if found["data.loadbalancer"], err = one("load balancer", balancers, err); err != nil {
		return err
	}
	listenerPages, err := listeners.List(it.client, listeners.ListOpts{
		Name: it.name, LoadbalancerID: it.id, Protocol: "HTTP", ProtocolPort: 8080, DefaultPoolID: it.pool,
	}).AllPages(ctx)
	if err != nil {
		return err
	}
	all, err := listeners.ExtractListeners(listenerPages)
	if found["data.listener"], err = one("listener", all, err); err != nil {
		return err
	}
	return it.lookUpBehind(ctx, found)
}

func (it *site) lookUpBehind(ctx context.Context, found report) error {
	poolPages, err := pools.List(it.client, pools.ListOpts{
		Name: it.name, LoadbalancerID: it.id, Protocol: "HTTP", LBMethod: "ROUND_ROBIN", AdminStateUp: pointer(true),
	}).AllPages(ctx)
	if err != nil {
		return err
	}
	listed, err := pools.ExtractPools(poolPages)
	if found["data.pool"], err = one("pool", listed, err); err != nil {
		return err
	}
	monitorPages, err := monitors.List(it.client, monitors.ListOpts{
		Name: it.name, PoolID: it.pool, Type: "HTTP", Delay: 10, Timeout: 5, MaxRetries: 3, URLPath: "/well",
	}).AllPages(ctx)
	if err != nil {
		return err
	}
	checks, err := monitors.ExtractMonitors(monitorPages)
	if found["data.monitor"], err = one("monitor", checks, err); err != nil {
		return err
	}
	members, err := it.members(ctx, pools.ListMembersOpts{Name: it.name + "-1", Address: "10.10.2.101", ProtocolPort: 80})
	found["data.member"], err = one("member", members, err)
	return err
}

// settle waits until the load balancer is ACTIVE, as the provider does between any two calls.
func (it *site) settle(ctx context.Context) error {
	for {
		balancer, err := loadbalancers.Get(ctx, it.client, it.id).Extract()
		if err != nil {
			return err
		}
		switch balancer.ProvisioningStatus {
		case "ACTIVE":
			return nil
		case "ERROR":
			return fmt.Errorf("load balancer %s is in ERROR", it.id)
		}
		select {
		case <-ctx.Done():
			return fmt.Errorf("load balancer %s is %s", it.id, balancer.ProvisioningStatus)
		case <-time.After(500 * time.Millisecond):
		}
	}
}

// clear deletes everything; gives what went wrong before, or else here.
func (it *site) clear(ctx context.Context, before error) error {
	err := loadbalancers.Delete(ctx, it.client, it.id, loadbalancers.DeleteOpts{Cascade: true}).ExtractErr()
	if before != nil {
		return before
	}
	for err == nil {
		if _, err = loadbalancers.Get(ctx, it.client, it.id).Extract(); err == nil {
			time.Sleep(500 * time.Millisecond)
		}
	}
	if is404(err) {
		return nil
	}
	return err
}
