package main

import (
	"context"
	"fmt"

	"github.com/gophercloud/gophercloud/v2"
	"github.com/gophercloud/gophercloud/v2/openstack/loadbalancer/v2/flavorprofiles"
	"github.com/gophercloud/gophercloud/v2/openstack/loadbalancer/v2/flavors"
	"github.com/gophercloud/gophercloud/v2/openstack/loadbalancer/v2/quotas"
)

// useCatalogue makes, reads, finds, changes and deletes what an admin manages: openstack_lb_flavorprofile_v2,
// openstack_lb_flavor_v2 and openstack_lb_quota_v2, as resources and as data sources.
func useCatalogue(ctx context.Context, client *gophercloud.ServiceClient, name, project string) (report, error) {
	found := report{}
	profile, err := useProfile(ctx, client, name, found)
	if err != nil {
		return nil, err
	}
	defer flavorprofiles.Delete(ctx, client, profile)
	if err := useFlavor(ctx, client, name, profile, found); err != nil {
		return nil, err
	}
	if err := flavorprofiles.Delete(ctx, client, profile).ExtractErr(); err != nil {
		return nil, err
	}
	if _, err := flavorprofiles.Get(ctx, client, profile).Extract(); !is404(err) {
		return nil, fmt.Errorf("the profile is still there: %v", err)
	}
	return found, useQuota(ctx, client, project, found)
}

func useProfile(ctx context.Context, client *gophercloud.ServiceClient, name string, found report) (string, error) {
	made, err := flavorprofiles.Create(ctx, client, flavorprofiles.CreateOpts{
		Name: name, ProviderName: "octavia", FlavorData: `{"loadbalancer_topology": "SINGLE"}`,
	}).Extract()
	if err != nil {
		return "", err
	}
	if _, err := flavorprofiles.Update(ctx, client, made.ID, flavorprofiles.UpdateOpts{
		FlavorData: `{"loadbalancer_topology": "ACTIVE_STANDBY"}`,
	}).Extract(); err != nil {
		return "", err
	}
	if found["flavorprofile"], err = flavorprofiles.Get(ctx, client, made.ID).Extract(); err != nil {
		return "", err
	}
	pages, err := flavorprofiles.List(client, flavorprofiles.ListOpts{Name: name, ProviderName: "octavia"}).AllPages(ctx)
	if err != nil {
		return "", err
	}
	listed, err := flavorprofiles.ExtractFlavorProfiles(pages)
	found["data.flavorprofile"], err = one("flavor profile", listed, err)
	return made.ID, err
}

func useFlavor(ctx context.Context, client *gophercloud.ServiceClient, name, profile string, found report) error {
	made, err := flavors.Create(ctx, client, flavors.CreateOpts{
		Name: name, Description: "first", FlavorProfileId: profile, Enabled: true,
	}).Extract()
	if err != nil {
		return err
	}
	defer flavors.Delete(ctx, client, made.ID)
	change := flavors.UpdateOpts{Name: name, Description: "second", Enabled: true}
	if _, err := flavors.Update(ctx, client, made.ID, change).Extract(); err != nil {
		return err
	}
	if found["flavor"], err = flavors.Get(ctx, client, made.ID).Extract(); err != nil {
		return err
	}
	wanted := flavors.ListOpts{Name: name, FlavorProfileID: profile, Enabled: pointer(true)}
	pages, err := flavors.List(client, wanted).AllPages(ctx)
	if err != nil {
		return err
	}
	listed, err := flavors.ExtractFlavors(pages)
	if found["data.flavor"], err = one("flavor", listed, err); err != nil {
		return err
	}
	if err := flavors.Delete(ctx, client, made.ID).ExtractErr(); err != nil {
		return err
	}
	if _, err := flavors.Get(ctx, client, made.ID).Extract(); !is404(err) {
		return fmt.Errorf("the flavor is still there: %v", err)
	}
	return nil
}

func useQuota(ctx context.Context, client *gophercloud.ServiceClient, project string, found report) error {
	standard, err := quotas.Get(ctx, client, project).Extract()
	if err != nil {
		return err
	}
	found["quota.default"] = standard
	defer quotas.Delete(ctx, client, project)
	if _, err := quotas.Update(ctx, client, project, quotas.UpdateOpts{
		Loadbalancer: pointer(7), Listener: pointer(70), Pool: pointer(71), Member: pointer(72), Healthmonitor: pointer(73),
		L7Policy: pointer(74), L7Rule: pointer(75),
	}).Extract(); err != nil {
		return err
	}
	changed, err := quotas.Get(ctx, client, project).Extract()
	if err != nil {
		return err
	}
	found["quota"] = changed
	// Their tags keep them out of JSON.
	found["quota.unnamed"] = []int{changed.Loadbalancer, changed.Healthmonitor}
	if err := quotas.Delete(ctx, client, project).ExtractErr(); err != nil {
		return err
	}
	found["quota.again"], err = quotas.Get(ctx, client, project).Extract()
	return err
}
