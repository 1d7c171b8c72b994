"""Words that are written alike in English and German and sound unlike each other: for what is compared by ear."""

WORDS: tuple[str, ...] = tuple(
    """
    alarm album alibi alpha angora april arena aroma atlas atom august ball baron beta bikini bonus bungalow butler
    button camping cello chili clown club coach cocktail comic computer couch cowboy curry delta design diesel disco
    dollar domino drama echo emblem ensemble episode export festival finger flamingo forum gala gamma garage gecko
    giraffe gold golf gong gorilla grill hamster hobby hotel hunger husky internet jaguar jazz joker judo karate
    ketchup kimono kiosk kiwi koala laser lava limousine logo magma mango marathon marzipan mentor modem monitor
    motor museum neon ninja november oboe olive omega opal orange origami oval panda panorama papaya paprika park
    pasta pilot pizza planet poker pony pudding puma radar radio regatta rose safari salami salon samurai sauna
    september shampoo signal silo slogan sofa solo sombrero sonar spaghetti
""".split()
)
"""128 of them: seven bits each."""
