"""The generator against NIST's vectors, and the fairness of what is made with it.

The vectors are those of CAVS 14.3, file HMAC_DRBG.rsp, [SHA-256], without prediction
resistance: two calls of 128 bytes each, the second is compared.
"""

import pytest

from randomization.drbg import HmacDrbg

PLAIN = [
    (
        "ca851911349384bffe89de1cbdc46e6831e44d34a4fb935ee285dd14b71a7488",
        "659ba96c601dc69fc902940805ec0ca8",
        (
            "e528e9abf2dece54d47c7e75e5fe302149f817ea9fb4bee6f4199697d04d5b89"
            "d54fbb978a15b5c443c9ec21036d2460b6f73ebad0dc2aba6e624abf07745bc1"
            "07694bb7547bb0995f70de25d6b29e2d3011bb19d27676c07162c8b5ccde0668"
            "961df86803482cb37ed6d5c0bb8d50cf1f50d476aa0458bdaba806f48be9dcb8"
        ),
    ),
    (
        "79737479ba4e7642a221fcfd1b820b134e9e3540a35bb48ffae29c20f5418ea3",
        "3593259c092bef4129bc2c6c9e19f343",
        (
            "cf5ad5984f9e43917aa9087380dac46e410ddc8a7731859c84e9d0f31bd43655"
            "b924159413e2293b17610f211e09f770f172b8fb693a35b85d3b9e5e63b1dc25"
            "2ac0e115002e9bedfb4b5b6fd43f33b8e0eafb2d072e1a6fee1f159df9b51e6c"
            "8da737e60d5032dd30544ec51558c6f080bdbdab1de8a939e961e06b5f1aca37"
        ),
    ),
    (
        "b340907445b97a8b589264de4a17c0bea11bb53ad72f9f33297f05d2879d898d",
        "65cb27735d83c0708f72684ea58f7ee5",
        (
            "75183aaaf3574bc68003352ad655d0e9ce9dd17552723b47fab0e84ef903694a"
            "32987eeddbdc48efd24195dbdac8a46ba2d972f5808f23a869e71343140361f5"
            "8b243e62722088fe10a98e43372d252b144e00c89c215a76a121734bdc485486"
            "f65c0b16b8963524a3a70e6f38f169c12f6cbdd169dd48fe4421a235847a23ff"
        ),
    ),
    (
        "8e159f60060a7d6a7e6fe7c9f769c30b98acb1240b25e7ee33f1da834c0858e7",
        "c39d35052201bdcce4e127a04f04d644",
        (
            "62910a77213967ea93d6457e255af51fc79d49629af2fccd81840cdfbb491099"
            "1f50a477cbd29edd8a47c4fec9d141f50dfde7c4d8fcab473eff3cc2ee9e7cc9"
            "0871f180777a97841597b0dd7e779eff9784b9cc33689fd7d48c0dcd341515ac"
            "8fecf5c55a6327aea8d58f97220b7462373e84e3b7417a57e80ce946d6120db5"
        ),
    ),
    (
        "74755f196305f7fb6689b2fe6835dc1d81484fc481a6b8087f649a1952f4df6a",
        "c36387a544a5f2b78007651a7b74b749",
        (
            "b2896f3af4375dab67e8062d82c1a005ef4ed119d13a9f18371b1b8737744186"
            "84805fd659bfd69964f83a5cfe08667ddad672cafd16befffa9faed49865214f"
            "703951b443e6dca22edb636f3308380144b9333de4bcb0735710e4d926678634"
            "2fc53babe7bdbe3c01a3addb7f23c63ce2834729fabbd419b47beceb4a460236"
        ),
    ),
]
PERSONALISED = [
    (
        "5cacc68165a2e2ee20812f35ec73a79dbf30fd475476ac0c44fc6174cdac2b55",
        "6f885496c1e63af620becd9e71ecb824",
        "e72dd8590d4ed5295515c35ed6199e9d211b8f069b3058caa6670b96ef1208d0",
        (
            "f1012cf543f94533df27fedfbf58e5b79a3dc517a9c402bdbfc9a0c0f721f9d5"
            "3faf4aafdc4b8f7a1b580fcaa52338d4bd95f58966a243cdcd3f446ed4bc546d"
            "9f607b190dd69954450d16cd0e2d6437067d8b44d19a6af7a7cfa8794e5fbd72"
            "8e8fb2f2e8db5dd4ff1aa275f35886098e80ff844886060da8b1e7137846b23b"
        ),
    ),
    (
        "8df013b4d103523073917ddf6a869793059e9943fc8654549e7ab22f7c29f122",
        "da2625af2ddd4abcce3cf4fa4659d84e",
        "b571e66d7c338bc07b76ad3757bb2f9452bf7e07437ae8581ce7bc7c3ac651a9",
        (
            "b91cba4cc84fa25df8610b81b641402768a2097234932e37d590b1154cbd23f9"
            "7452e310e291c45146147f0da2d81761fe90fba64f94419c0f662b28c1ed94da"
            "487bb7e73eec798fbcf981b791d1be4f177a8907aa3c401643a5b62b87b89d66"
            "b3a60e40d4a8e4e9d82af6d2700e6f535cdb51f75c321729103741030ccc3a56"
        ),
    ),
]
WITH_INPUT = [
    (
        "d3cc4d1acf3dde0c4bd2290d262337042dc632948223d3a2eaab87da44295fbd",
        "0109b0e729f457328aa18569a9224921",
        "3c311848183c9a212a26f27f8c6647e40375e466a0857cc39c4e47575d53f1f6",
        "fcb9abd19ccfbccef88c9c39bfb3dd7b1c12266c9808992e305bc3cff566e4e4",
        (
            "9c7b758b212cd0fcecd5daa489821712e3cdea4467b560ef5ddc24ab47749a1f"
            "1ffdbbb118f4e62fcfca3371b8fbfc5b0646b83e06bfbbab5fac30ea09ea2bc7"
            "6f1ea568c9be0444b2cc90517b20ca825f2d0eccd88e7175538b85d90ab39018"
            "3ca6395535d34473af6b5a5b88f5a59ee7561573337ea819da0dcc3573a22974"
        ),
    ),
    (
        "f97a3cfd91faa046b9e61b9493d436c4931f604b22f1081521b3419151e8ff06",
        "11f3a7d43595357d58120bd1e2dd8aed",
        "517289afe444a0fe5ed1a41dbbb5eb17150079bdd31e29cf2ff30034d8268e3b",
        "88028d29ef80b4e6f0fe12f91d7449fe75062682e89c571440c0c9b52c42a6e0",
        (
            "c6871cff0824fe55ea7689a52229886730450e5d362da5bf590dcf9acd67fed4"
            "cb32107df5d03969a66b1f6494fdf5d63d5b4d0d34ea7399a07d0116126d0d51"
            "8c7c55ba46e12f62efc8fe28a51c9d428e6d371d7397ab319fc73ded4722e5b4"
            "f30004032a6128df5e7497ecf82ca7b0a50e867ef6728a4f509a8c859087039c"
        ),
    ),
]
RESEEDED = [
    (
        "06032cd5eed33f39265f49ecb142c511da9aff2af71203bffaf34a9ca5bd9c0d",
        "0e66f71edc43e42a45ad3c6fc6cdc4df",
        "01920a4e669ed3a85ae8a33b35a74ad7fb2a6bb4cf395ce00334a9c9a5a5d552",
        (
            "76fc79fe9b50beccc991a11b5635783a83536add03c157fb30645e611c2898bb"
            "2b1bc215000209208cd506cb28da2a51bdb03826aaf2bd2335d576d519160842"
            "e7158ad0949d1a9ec3e66ea1b1a064b005de914eac2e9d4f2d72a8616a802254"
            "22918250ff66a41bd2f864a6a38cc5b6499dc43f7f2bd09e1e0f8f5885935124"
        ),
    ),
    (
        "aadcf337788bb8ac01976640726bc51635d417777fe6939eded9ccc8a378c76a",
        "9ccc9d80c89ac55a8cfe0f99942f5a4d",
        "03a57792547e0c98ea1776e4ba80c007346296a56a270a35fd9ea2845c7e81e2",
        (
            "17d09f40a43771f4a2f0db327df637dea972bfff30c98ebc8842dc7a9e3d681c"
            "61902f71bffaf5093607fbfba9674a70d048e562ee88f027f630a78522ec6f70"
            "6bb44ae130e05c8d7eac668bf6980d99b4c0242946452399cb032cc6f9fd9628"
            "4709bd2fa565b9eb9f2004be6c9ea9ff9128c3f93b60dc30c5fc8587a10de68c"
        ),
    ),
]
CHI2_255_AT_1_IN_10000 = 341.5


def unhex(*texts):
    return [bytes.fromhex(text) for text in texts]


@pytest.mark.parametrize(("entropy", "nonce", "expected"), PLAIN)
def test_the_stream_is_nists(entropy, nonce, expected):
    generator = HmacDrbg(*unhex(entropy, nonce))
    generator.generate(128)
    assert generator.generate(128).hex() == expected


@pytest.mark.parametrize(("entropy", "nonce", "personal", "expected"), PERSONALISED)
def test_the_stream_with_a_personalization_string_is_nists(entropy, nonce, personal, expected):
    generator = HmacDrbg(*unhex(entropy, nonce, personal))
    generator.generate(128)
    assert generator.generate(128).hex() == expected


@pytest.mark.parametrize(("entropy", "nonce", "first", "second", "expected"), WITH_INPUT)
def test_the_stream_with_additional_input_is_nists(entropy, nonce, first, second, expected):
    generator = HmacDrbg(*unhex(entropy, nonce))
    generator.generate(128, bytes.fromhex(first))
    assert generator.generate(128, bytes.fromhex(second)).hex() == expected


@pytest.mark.parametrize(("entropy", "nonce", "reseed", "expected"), RESEEDED)
def test_the_stream_after_a_reseed_is_nists(entropy, nonce, reseed, expected):
    generator = HmacDrbg(*unhex(entropy, nonce))
    generator.reseed(bytes.fromhex(reseed))
    generator.generate(128)
    assert generator.generate(128).hex() == expected


def test_too_little_entropy_and_too_much_output_are_refused():
    with pytest.raises(ValueError, match="32 bytes"):
        HmacDrbg(bytes(31))
    with pytest.raises(ValueError, match="65,536"):
        HmacDrbg(bytes(32)).generate(65_537)


@pytest.mark.parametrize("n", [0, -1])
def test_below_refuses_what_it_cannot_do(n):
    with pytest.raises(ValueError, match="at least 1"):
        HmacDrbg(bytes(32)).below(n)


def test_below_throws_away_words_past_the_last_multiple(monkeypatch):
    generator = HmacDrbg(bytes(32))
    words = iter([2**32 - 1, 2**32 - 2, 7])
    monkeypatch.setattr(generator, "generate", lambda _: next(words).to_bytes(4, "big"))
    assert generator.below(3) == (2**32 - 2) % 3
    assert generator.below(5) == 2


@pytest.mark.parametrize(("n", "width"), [(2**32, 4), (2**32 + 1, 5), (3**60, 12)])
def test_below_takes_as_many_bytes_as_a_large_number_needs(n, width, monkeypatch):
    generator = HmacDrbg(bytes(32))
    asked = []
    monkeypatch.setattr(generator, "generate", lambda many: asked.append(many) or bytes(many))
    assert generator.below(n) == 0
    assert asked == [width]


def test_below_gives_every_value_equally_often():
    generator = HmacDrbg(b"every value equally often".ljust(32))
    counts = [0] * 256
    for _ in range(51_200):
        counts[generator.below(256)] += 1
    assert sum((n - 200) ** 2 / 200 for n in counts) < CHI2_255_AT_1_IN_10000


def test_a_shuffle_moves_things_and_loses_none():
    things = list(range(20))
    HmacDrbg(bytes(32)).shuffle(things)
    assert sorted(things) == list(range(20))
    assert things != list(range(20))
