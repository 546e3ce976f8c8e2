"""All stores over one transaction: what `Database.uow` hands to handlers as `ports.stores.UnitOfWork`."""

from chatbot.ports.accounts import Accounts
from chatbot.ports.consents import Consents
from chatbot.ports.held import Held
from chatbot.ports.installs import Homes, Installations
from chatbot.ports.linked import Linked
from chatbot.ports.mail import Inbox, Leases, Outbox
from chatbot.ports.people import Conversations, Guides, Links, People
from chatbot.ports.records import Audit, Balances, Fills, Subscriptions
from chatbot.ports.troubles import Troubles
from chatbot.ports.worth import Valuations, Wishes
from storage.alerts import SubscriptionStore
from storage.audit import AuditStore
from storage.balances import BalanceStore
from storage.consents import ConsentStore
from storage.conversations import ConversationStore
from storage.delivery import OutboxStore
from storage.fills import FillStore
from storage.guides import GuideStore
from storage.held import HeldStore
from storage.homes import HomeStore
from storage.inbox import InboxStore
from storage.installations import InstallationStore
from storage.joining import LinkedStore
from storage.leases import LeaseStore
from storage.links import LinkStore
from storage.people import PeopleStore
from storage.transaction import Transaction
from storage.troubles import TroubleStore
from storage.valuations import ValuationStore
from storage.wishes import WishStore
from storage.work import AccountStore


class Stores:
    """Every store of one unit of work."""

    def __init__(self, tx: Transaction) -> None:
        self.people: People = PeopleStore(tx)
        self.conversations: Conversations = ConversationStore(tx)
        self.guides: Guides = GuideStore(tx)
        self.links: Links = LinkStore(tx)
        self.accounts: Accounts = AccountStore(tx)
        self.fills: Fills = FillStore(tx)
        self.balances: Balances = BalanceStore(tx)
        self.subscriptions: Subscriptions = SubscriptionStore(tx)
        self.held: Held = HeldStore(tx)
        self.consents: Consents = ConsentStore(tx)
        self.outbox: Outbox = OutboxStore(tx)
        self.inbox: Inbox = InboxStore(tx)
        self.audit: Audit = AuditStore(tx)
        self.troubles: Troubles = TroubleStore(tx)
        self.valuations: Valuations = ValuationStore(tx)
        self.wishes: Wishes = WishStore(tx)
        self.leases: Leases = LeaseStore(tx)
        self.installations: Installations = InstallationStore(tx)
        self.homes: Homes = HomeStore(tx)
        self.linked: Linked = LinkedStore(tx)
