"""An audience of nobody: what it costs, and whether clean_up reaches what it gave under a tag that is gone."""

from kustomer_pipeline.sync import RemovalLimit
from kustomer_pipeline_tests import oracle
from kustomer_pipeline_tests.world import World, audience, customers, members, people

WIDE = RemovalLimit(share=1.0)


def test_an_audience_that_was_always_empty_costs_one_request(world: World) -> None:
    """Law 9: the id of its tag is remembered although nobody is to get it."""
    world.sandbox.seed_tag("vip")
    for _ in range(3):
        world.run(audience(max_removals=WIDE), members(0))
    assert world.sandbox.units() == 1


def test_clean_up_reaches_a_tag_that_was_renamed_although_the_audience_is_empty(world: World) -> None:
    """An agent renamed vip to gold; the YAML still says vip, which is no tag any more, and nobody is a member."""
    world.run(customers(), people(4))
    world.run(audience(max_removals=WIDE), members(4))
    (vip,) = world.sandbox.tags
    oracle.rename_tag(world.sandbox, vip, "gold")
    world.run(audience(max_removals=WIDE), members(0))
    world.run(audience(max_removals=WIDE), members(0), clean_up=True)
    world.run(audience(max_removals=WIDE), members(0), clean_up=True)
    assert not [id_ for id_ in world.sandbox.customers if "gold" in world.sandbox.tag_names(id_)]
