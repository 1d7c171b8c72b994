from appliance.system.welcome import texts


def test_the_welcome_names_the_page_so_that_it_can_be_typed() -> None:
    said = texts("stimme-a1b2", "192.168.1.23")
    assert "A, 1, B, 2" in said["en"] and "192 dot 168 dot 1 dot 23" in said["en"]
    assert "192 Punkt 168 Punkt 1 Punkt 23" in said["de"]


def test_without_a_network_no_address_is_promised() -> None:
    assert "no network" in texts("stimme-a1b2", "")["en"] and "noch nicht" in texts("stimme-a1b2", "")["de"]
